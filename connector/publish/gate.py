"""What batches pass on their way out."""

from __future__ import annotations

import asyncio
import math
from typing import Protocol

BEAT = 0.007
"""Seconds between two moments in which small batches leave, on average."""

MOMENT = 0.0005
"""Seconds that such a moment lasts: what belongs to one frame leaves together."""

SPARE = 16
"""Moments that may come at once after quiet times."""

LARGE = 20
"""Rows of a batch that need not wait."""


class Boarding(Protocol):
    """Whoever has a batch to send."""

    @property
    def is_large(self) -> bool:
        """Whether it need not wait for others."""

    def depart(self) -> None:
        """Send it."""


class Gate:
    """
    One producer's. ``shut`` keeps lanes from sending another batch: the producer is about to be given up.
    ``paused`` does so for a while; who ends it wakes the lanes.

    A batch costs as much CPU as dozens of rows, and a request as much as several batches. So small batches
    of all lanes leave together, within a ``moment``. On average there is one such moment in ``beat`` seconds;
    up to ``spare`` that nobody needed are kept for later. What comes now and then leaves at once.
    """

    def __init__(self, *, beat: float = BEAT, moment: float = MOMENT, spare: int = SPARE) -> None:
        self.shut = False
        self.paused = False
        self._beat = beat
        self._moment = moment
        self._spare = spare * beat
        self._shuts_at = -math.inf
        self._due = -math.inf  # of the next moment, were they spread evenly
        self._loop = asyncio.get_running_loop()
        self._arrived: list[Boarding] = []
        self._waiting: list[Boarding] = []

    def join(self, batch: Boarding) -> None:
        """
        Let ``batch`` depart once it may, not before the next turn of the loop: more of it may come in this
        one.
        """
        if not self._arrived:
            self._loop.call_soon(self._look)
        self._arrived.append(batch)

    def _look(self) -> None:
        arrived, self._arrived = self._arrived, []
        now = self._loop.time()
        for batch in arrived:
            if now < self._shuts_at or batch.is_large:
                batch.depart()
                continue
            opens_at = self._due - self._spare
            if not self._waiting and now >= opens_at:
                self._open(now)
                batch.depart()
                continue
            if not self._waiting:
                self._loop.call_at(opens_at, self._let_go)
            self._waiting.append(batch)

    def _let_go(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._open(self._loop.time())
        for batch in waiting:
            batch.depart()

    def _open(self, now: float) -> None:
        self._shuts_at, self._due = now + self._moment, max(self._due, now) + self._beat
