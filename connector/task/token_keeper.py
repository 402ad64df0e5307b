"""What a subscription asks of whoever keeps its token."""

from __future__ import annotations

from typing import Protocol

from connector.auth import Token


class TokenKeeper(Protocol):
    """`connector.auth.Keeper`, or what stands for one. ``by`` is the subscription's name."""

    async def token(self, *, by: str) -> Token:
        """Return the current token; wait until there is one that may serve ``by``."""

    async def newer_than(self, generation: int) -> Token:
        """Return the current token once it is of a later generation."""

    async def news(self, generation: int | None) -> None:
        """Return once another token is there by itself, or a later one than ``generation`` (if given)."""

    async def renew(self, generation: int, *, older_than: float) -> None:
        """Replace the token of this generation where it is still the current one and so many seconds old."""

    def accept(self, generation: int, *, by: str, is_quiet: bool = False) -> None:
        """The token of this generation was accepted; ``is_quiet``: for seconds, and nothing came."""

    def reject(self, generation: int, *, by: str) -> None:
        """The token of this generation was not accepted."""

    def fruitless(self, generation: int) -> bool:
        """An attempt with it ended without a word of it; return whether another one is fetched for that."""

    @property
    def fresh_tokens_do_not_help(self) -> bool:
        """Whether attempts are fruitless for minutes, with a fresh token too."""

    def forget(self, by: str) -> None:
        """``by`` has ended, and vouches for no token any more."""
