"""A token that the user gives."""

from __future__ import annotations

import anyio

from connector.auth.grant import Grant, is_access_token
from connector.errors import ConfigError, Problem


class StaticToken:
    """
    Always the same token, of unknown life. White space around it is dropped.

    Raises:
        ConfigError: ``value`` cannot be an access token.
    """

    def __init__(self, value: str) -> None:
        self._value = value.strip()
        if not is_access_token(self._value):
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

    async def fetch(self) -> Grant:
        """Return the token."""
        return Grant(access_token=self._value)

    async def changed(self) -> None:
        """Never return: it does not change."""
        await anyio.sleep_forever()
