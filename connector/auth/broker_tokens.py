"""A keeper's token for those who know it by its value."""

from __future__ import annotations

from connector.auth.keeper import Keeper
from connector.auth.token import Token


class BrokerTokenProvider:
    """
    Gives the token of ``keeper`` to connections that are opened now and then, several at a time, and
    passes on what the other side thought of it.
    """

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._given: Token | None = None

    @property
    def error(self) -> str | None:
        """Return why there is no token, or no new one; ``None`` where all is well or nothing is known."""
        return self._keeper.status.last_error

    async def token(self) -> str:
        """Return the current token; wait until there is one that may serve."""
        self._given = await self._keeper.token()
        return self._given.value

    def rejected(self, token: str) -> None:
        """Take note that it was not accepted; only the one given last counts."""
        if self._given is not None and self._given.value == token:
            self._keeper.reject(self._given.generation)

    def accepted(self, token: str) -> None:
        """Take note that it was accepted; only the one given last counts."""
        if self._given is not None and self._given.value == token:
            self._keeper.accept(self._given.generation)
