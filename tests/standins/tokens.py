"""Who may connect: tokens with a life, shared by the token endpoint and the upstream."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

AWKWARD = '+/=%"'
"""Characters that a URL, a form, a JSON text and a log each treat in their own way."""


def make_secret(prefix: str = "secret") -> str:
    """A random secret that holds every character of ``AWKWARD``."""
    return f'{prefix}_{secrets.token_hex(8)}+/{secrets.token_hex(4)}%2B"{secrets.token_hex(4)}=='


@dataclass(kw_only=True, slots=True)
class IssuedToken:
    """One access token; times are seconds of the authority's clock."""

    value: str = field(repr=False)
    issued_at: float
    expires_at: float
    scope: str
    revoked: bool = False


class TokenAuthority:
    """
    Issues opaque tokens and says whether one is good.

    Args:
        life: Seconds that a token is good for; may be changed at any time for later tokens.
        required_scope: A token without it is not good (the vendor's docs insist on ``api``).
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        *,
        life: float = 3600.0,
        required_scope: str = "api",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.life = life
        self.required_scope = required_scope
        self.issued: list[IssuedToken] = []
        self._by_value: dict[str, IssuedToken] = {}
        self._clock = clock

    def issue(self, *, scope: str = "api", life: float | None = None) -> str:
        """A new token; ``life`` ``None`` means the authority's own."""
        now = self._clock()
        life = self.life if life is None else life
        value = self.make_value(life)
        token = IssuedToken(value=value, issued_at=now, expires_at=now + life, scope=scope)
        self.issued.append(token)
        self._by_value[token.value] = token
        return token.value

    def make_value(self, life: float) -> str:
        """A new token's text; ``life`` in seconds is of interest to tokens that say it themselves."""
        return make_secret("ory_at")

    def is_valid(self, value: str | None) -> bool:
        """Whether the token is known, in scope, not revoked and not expired now."""
        token = self._by_value.get(value or "")
        if token is None or token.revoked or self.required_scope not in token.scope.split():
            return False
        return self._clock() < token.expires_at

    def revoke(self, value: str) -> None:
        """The token is refused from now on; an unknown one is an error of the test."""
        self._by_value[value].revoked = True

    def expire(self, value: str) -> None:
        """The token's life ends now."""
        self._by_value[value].expires_at = self._clock()

    def revoke_all(self) -> None:
        """As "revoke" in the vendor's account page: every token issued so far."""
        for token in self.issued:
            token.revoked = True

    @property
    def values(self) -> tuple[str, ...]:
        """Every token ever issued, to search logs for."""
        return tuple(token.value for token in self.issued)
