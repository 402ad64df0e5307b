"""A token that something else keeps in a file."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import anyio.to_thread
import structlog

from connector.auth.grant import Grant, is_access_token
from connector.errors import RetriableError

_log = structlog.get_logger()

#: Seconds between two looks at the file. Its content is compared, not its times: mounted secrets are
#: swapped by symlink, and some file systems keep times by the second.
POLL_INTERVAL = 1.0

#: Looks in a row that find no token before that is said.
PATIENT_LOOKS = 3

#: No token is longer than this many bytes.
_LONGEST = 65_536


class TokenFileUnreadable(RetriableError):
    """The token file is missing, cannot be read, or holds no token; write one into it."""


class TokenFile:
    """
    The token in the file at ``path``, of unknown life; white space around it, and a byte
    order mark before it, are dropped.

    The file may be missing, empty or half written for a while: an earlier token serves on.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    ) -> None:
        self._path = Path(path)
        self._sleep = sleep
        self._last: str | None = None

    async def fetch(self) -> Grant:
        """
        Return the token that the file holds now.

        Raises:
            TokenFileUnreadable: It holds none.
        """
        self._last = await self._read()
        return Grant(access_token=self._last)

    async def changed(self) -> None:
        """Return once the file holds a token, and another one than was last fetched."""
        unreadable = 0
        while True:
            await self._sleep(POLL_INTERVAL)
            try:
                if await self._read() != self._last:
                    return
                unreadable = 0
            except TokenFileUnreadable as error:
                unreadable += 1
                # Not at the first look: whoever writes a file may have emptied it a moment ago.
                if unreadable == PATIENT_LOOKS and self._last is not None:
                    _log.warning("token file unreadable", reason=str(error))

    async def _read(self) -> str:
        # In a thread that may be left behind: a file on a dead network mount blocks for ever.
        content = await anyio.to_thread.run_sync(_content, self._path, abandon_on_cancel=True)
        if isinstance(content, str):
            raise TokenFileUnreadable(f"token file {self._path}: {content}")
        # Editors and shells of Windows begin a file with a byte order mark. What is not ASCII is no token.
        value = content.decode("utf-8-sig", "replace").strip()
        if not is_access_token(value):
            what = "holds characters that no access token may have" if value else "is empty"
            raise TokenFileUnreadable(f"token file {self._path} {what}")
        return value


def _content(path: Path) -> bytes | str:
    """Return what the file holds, or the class of the error that reading it raised."""
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST + 1)
    except (OSError, ValueError) as error:
        return type(error).__name__
    return content if len(content) <= _LONGEST else f"longer than {_LONGEST} bytes"
