"""How the event loop does: how late it is, and how many tasks it has."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Never

import anyio

from connector.telemetry.metrics import Metrics

EVERY = 0.5
"""Seconds between two looks."""
LOOKS = 30
"""Looks that the worst is taken from, so that a lag is seen by whoever asks every fifteen seconds."""


class LoopWatch:
    """``clock`` returns seconds; ``sleep`` waits for seconds of it."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._late: deque[float] = deque(maxlen=LOOKS)

    @property
    def lag(self) -> float:
        """The most seconds by which one of the last timers was late."""
        return max(self._late, default=0.0)

    async def run(self) -> Never:
        """Look again and again."""
        while True:
            due = self._clock() + EVERY
            await self._sleep(EVERY)
            self._late.append(max(0.0, self._clock() - due))

    def measure(self, metrics: Metrics) -> None:
        """Bring the metrics up to date; called in the loop."""
        metrics.event_loop_lag.set(self.lag)
        metrics.tasks.set(len(asyncio.all_tasks()))
