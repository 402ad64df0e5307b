"""That a subscription is to end, and waits that end with it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

import anyio

from connector.errors import DataError

T = TypeVar("T")


class Ending:
    """
    One subscription's. ``failure`` is what it has to end for, ``None`` where there is nothing; ``stopping``
    is set once it was asked to. ``is_replaced``: another goes on in its place.
    """

    def __init__(self) -> None:
        self.stopping = anyio.Event()
        self.failure: DataError | None = None
        self.is_replaced = False
        self._waiting: anyio.CancelScope | None = None
        self._pause: anyio.CancelScope | None = None

    @property
    def has_begun(self) -> bool:
        """Whether nothing is to be begun any more."""
        return self.stopping.is_set() or self.failure is not None

    def stop(self, *, is_replaced: bool = False) -> None:
        """It is to stop."""
        self.is_replaced = self.is_replaced or is_replaced
        self.stopping.set()
        self._interrupt()

    def fail(self, error: DataError) -> None:
        """It is to end for ``error``."""
        self.failure = error
        self._interrupt()

    def _interrupt(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()

    async def unless_begun(self, wait: Awaitable[T]) -> T | None:
        """Return what ``wait`` gives; ``None`` where the end began first."""
        with anyio.CancelScope() as self._waiting:
            if self.has_begun:
                self._waiting.cancel()
            return await wait
        return None

    async def pause(self, wait: Awaitable[None]) -> None:
        """The same; `end_pause` ends it, too."""
        try:
            with anyio.CancelScope() as self._pause:
                await self.unless_begun(wait)
        finally:
            self._pause = None

    def end_pause(self) -> bool:
        """Go on at once where there is a `pause`; return whether there is one."""
        if self._pause is None:
            return False
        self._pause.cancel()
        return True
