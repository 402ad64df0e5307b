"""
The one hand-over between reading and publishing. What is in it is counted in `connector.subscription.memory`;
nothing here waits on the reading side.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

import anyio

T = TypeVar("T")


class Inbox(Generic[T]):
    """A queue of one writer and one reader; closing it lets the reader take what is left."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._closed = False
        self._wake: anyio.Event | None = None

    def put(self, item: T) -> None:
        """Append ``item``; never waits."""
        self._items.append(item)
        self._notify()

    @property
    def last(self) -> T | None:
        """What was put last, as long as it was not taken; more may be added to it."""
        return self._items[-1] if self._items else None

    def close(self) -> None:
        """Nothing more will be put."""
        self._closed = True
        self._notify()

    def _notify(self) -> None:
        if self._wake is not None:
            self._wake.set()
            self._wake = None

    async def get(self) -> T | None:
        """Return the next item; ``None`` once closed and empty. Cancelling loses nothing."""
        while not self._items:
            if self._closed:
                return None
            self._wake = anyio.Event()
            await self._wake.wait()
        return self._items.popleft()

    def __len__(self) -> int:
        return len(self._items)
