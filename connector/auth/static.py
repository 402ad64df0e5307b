"""A token that the user gives."""

from __future__ import annotations

import anyio

from connector.auth.grant import Grant, is_access_token
from connector.errors import ConfigError, Problem


class StaticToken:
    """
    The same token until it is replaced, of unknown life. White space around it is dropped.

    Raises:
        ConfigError: ``value`` cannot be an access token.
    """

    def __init__(self, value: str) -> None:
        self._replaced = anyio.Event()
        self._value = _checked(value)

    def replace(self, value: str) -> None:
        """
        Give another token from now on.

        Raises:
            ConfigError: ``value`` cannot be an access token; the one before stays.
        """
        before, self._value = self._value, _checked(value)
        if self._value != before:
            self._replaced.set()

    async def fetch(self) -> Grant:
        """Return the token."""
        return Grant(access_token=self._value)

    async def changed(self) -> None:
        """Return once it was replaced, each time."""
        await self._replaced.wait()
        self._replaced = anyio.Event()


def _checked(value: str) -> str:
    value = value.strip()
    if not is_access_token(value):
        raise ConfigError(
            [
                Problem(
                    where="configuration",
                    path="token",
                    message="is empty or holds characters that no access token may have",
                    remedy="give the token alone: printable ASCII on one line (RFC 6749 A.12)",
                )
            ]
        )
    return value
