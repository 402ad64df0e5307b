"""The token as the rest of the program sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

TokenState = Literal["none", "valid", "expired", "rejected", "refused"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """
    An access token.

    ``generation`` counts from 1 and names this token in `Keeper.reject` and `Keeper.accept`.
    ``expires_at`` is in seconds of the keeper's clock (`time.monotonic`), and ``life`` the seconds that it
    had when it was asked for; ``None``: not known.
    """

    value: str = field(repr=False)
    generation: int
    expires_at: float | None
    life: float | None = None

    def has_expired(self, now: float) -> bool:
        """Return whether its life is over at ``now`` of that clock."""
        return self.expires_at is not None and now >= self.expires_at


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenStatus:
    """
    How it stands with the token, for people and metrics.

    ``state``: ``none`` (not obtained yet), ``valid``, ``expired``, ``rejected`` (by the GraphQL
    endpoint), ``refused`` (none that is valid, and the token endpoint refuses to give one).
    ``expires_in_seconds`` is negative once expired; ``None``: no token, or its life is unknown.
    ``last_error`` says why the last fetch failed or the last token was rejected; ``None``: all is
    well. ``generation`` is 0 before the first token. ``alarm``: somebody has to change something, even
    though an earlier token may still serve.
    """

    state: TokenState
    expires_in_seconds: float | None
    last_error: str | None
    generation: int
    alarm: bool = False
