"""
The one hand-over between reading and publishing. What is in it is counted in `connector.subscription.memory`;
nothing here waits on the reading side.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

import anyio

T = TypeVar("T")


class Inbox(Generic[T]):
    """A queue of one writer and one reader; closing it lets the reader take what is left."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._closed = False
        self._wake: anyio.Event | None = None
        self.last: T | None = None
        """What was put last, as long as it was not taken; more may be added to it."""

    def put(self, item: T) -> None:
        """Append ``item``; never waits."""
        self._items.append(item)
        self.last = item
        self._notify()

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
        item = self._items.popleft()
        if not self._items:
            self.last = None
        return item

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)
