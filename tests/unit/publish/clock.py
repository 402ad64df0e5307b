"""An event loop whose clock jumps to the next timer as soon as nobody has anything to do."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike


DAY = 86_400.0
"""Seconds; the most that asyncio waits at a time. Who waits for ever sets a timer for the end of time."""


class EverybodyWaitsError(Exception):
    """Nothing is going to happen any more."""


class JumpingSelector(selectors.BaseSelector):
    """Never waits: it adds up how long it would have."""

    def __init__(self) -> None:
        self.jumped = 0.0
        self._real = selectors.DefaultSelector()

    def register(
        self, fileobj: FileDescriptorLike, events: int, data: object = None
    ) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: FileDescriptorLike) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def get_map(self) -> Mapping[FileDescriptorLike, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if not ready and (timeout is None or timeout >= DAY):
            raise EverybodyWaitsError
        if not ready and timeout is not None and timeout > 0:
            self.jumped += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """Its time is what was jumped over: a busy machine adds nothing to it."""

    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.jumped


class TickingLoop(JumpingLoop):
    """Real time passes, too: for what reads `time.monotonic` beside the loop's clock."""

    def time(self) -> float:
        return time.monotonic() + super().time()
