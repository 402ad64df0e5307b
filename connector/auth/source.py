"""What the keeper asks of others."""

from __future__ import annotations

from typing import Protocol

from connector.auth.grant import Grant


class TokenSource(Protocol):
    """Where tokens come from."""

    async def fetch(self) -> Grant:
        """
        Return a token, new or the same as before.

        Raises:
            GrantRefused: Trying again soon cannot help.
            RetriableError: Trying again may.
        """

    async def changed(self) -> None:
        """Return once the source has, by itself, another token than it last returned; maybe never."""


class TokenObserver(Protocol):
    """Is told what the keeper does."""

    def fetched(self, outcome: str) -> None:
        """Count a fetch: ``obtained``, ``refused`` (permanently) or ``failed``."""

    def token_changed(self, value: str) -> None:
        """Learn a token before anyone else sees it, so that it can be kept out of logs."""


class SilentObserver:
    """Takes note of nothing."""

    def fetched(self, outcome: str) -> None:
        """Do nothing."""

    def token_changed(self, value: str) -> None:
        """Do nothing."""
