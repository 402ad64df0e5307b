"""A keeper's token for those who know it by its value."""

from __future__ import annotations

from connector.auth.keeper import Keeper
from connector.auth.token import Token


class Lender:
    """
    Lends the token of ``keeper`` to connections that are opened now and then, several at a time, and
    passes on what the other side thought of it.
    """

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._lent: Token | None = None

    @property
    def error(self) -> str | None:
        """Return why there is no token, or no new one; ``None`` where all is well or nothing is known."""
        return self._keeper.status.last_error

    async def token(self) -> str:
        """Return the current token; wait until there is one that may serve."""
        self._lent = await self._keeper.token()
        return self._lent.value

    def rejected(self, token: str) -> None:
        """Take note that it was not accepted; only the one lent last counts."""
        if self._lent is not None and self._lent.value == token:
            self._keeper.reject(self._lent.generation)

    def accepted(self, token: str) -> None:
        """Take note that it was accepted; only the one lent last counts."""
        if self._lent is not None and self._lent.value == token:
            self._keeper.accept(self._lent.generation)
