"""What batches pass on their way out."""

from __future__ import annotations

import asyncio
import math

import anyio

BEAT = 0.007
"""Seconds between two moments in which small batches leave, on average."""

MOMENT = 0.0005
"""Seconds that such a moment lasts: what belongs to one frame leaves together."""

SPARE = 16
"""Moments that may come at once after quiet times."""

LARGE = 20
"""Rows of a batch that need not wait."""


class Gate:
    """
    One producer's. ``shut`` keeps lanes from sending another batch: the producer is about to be given up.

    A batch costs as much CPU as dozens of rows, and a request as much as several batches. So small batches
    of all lanes leave together, within a ``moment``. On average there is one such moment in ``beat`` seconds;
    up to ``spare`` that nobody needed are kept for later. What comes now and then leaves at once.
    """

    def __init__(self, *, beat: float = BEAT, moment: float = MOMENT, spare: int = SPARE) -> None:
        self.shut = False
        self._beat = beat
        self._moment = moment
        self._spare = spare * beat
        self._shuts_at = -math.inf
        self._due = -math.inf  # of the next moment, were they spread evenly
        self._opening: anyio.Event | None = None

    async def passed(self, rows: int) -> None:
        """Return once a batch of ``rows`` may leave."""
        if rows >= LARGE:
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        if now < self._shuts_at:
            return
        if self._opening is None:
            if now >= self._due - self._spare:
                self._open()
                return
            self._opening = anyio.Event()
            loop.call_at(self._due - self._spare, self._open)
        await self._opening.wait()

    def _open(self) -> None:
        now = asyncio.get_running_loop().time()
        self._shuts_at, self._due = now + self._moment, max(self._due, now) + self._beat
        if self._opening is not None:
            self._opening.set()
            self._opening = None
