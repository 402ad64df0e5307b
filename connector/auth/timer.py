"""A moment to wait for that may be moved meanwhile."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

import anyio


class Timer:
    """
    For one who waits: at first the moment has come. ``clock`` returns seconds; ``sleep`` waits for seconds of
    ``clock``.
    """

    def __init__(self, *, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> None:
        self._clock = clock
        self._sleep = sleep
        self._due_at = -math.inf
        self._moved = anyio.Event()

    @property
    def seconds_left(self) -> float:
        """Return the seconds until then, 0 once it has come; infinity where nothing is due."""
        return max(self._due_at - self._clock(), 0.0)

    def move(self, moment: float) -> None:
        """Let it be at ``moment`` of the clock, sooner or later than before; infinity: not at all."""
        self._due_at = moment
        self._moved.set()

    async def wait(self) -> None:
        """Return once the moment has come, wherever it was moved to."""
        while (left := self.seconds_left) > 0:
            self._moved = moved = anyio.Event()
            async with anyio.create_task_group() as group:
                if left < math.inf:
                    group.start_soon(self._ring, left, moved)
                await moved.wait()
                group.cancel_scope.cancel()

    async def _ring(self, seconds: float, bell: anyio.Event) -> None:
        await self._sleep(seconds)
        bell.set()
