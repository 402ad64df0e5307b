"""When batches are sent, so that several share a request."""

from __future__ import annotations

import asyncio
import math
from typing import Protocol

BEAT = 0.007
"""Seconds between two moments in which small batches are sent, on average."""

MOMENT = 0.0005
"""Seconds that such a moment lasts: what belongs to one frame is sent together."""

SPARE = 16
"""Moments that may come at once after quiet times."""

LARGE = 20
"""Rows of a batch that need not wait."""


class Sendable(Protocol):
    """Whoever has a batch to send."""

    @property
    def is_large(self) -> bool:
        """Whether it need not wait for others."""

    def send(self) -> None:
        """Send it."""


class RequestScheduler:
    """
    One producer's. ``closed`` keeps senders from sending another batch: the producer is about to be given up.
    ``paused`` does so for a while; who ends it wakes the senders.

    A batch costs as much CPU as dozens of rows, and a request as much as several batches. So small batches
    of all senders are sent together, within a ``moment``. On average there is one such moment in ``beat``
    seconds; up to ``spare`` that nobody needed are kept for later. What comes now and then is sent at once.
    """

    def __init__(self, *, beat: float = BEAT, moment: float = MOMENT, spare: int = SPARE) -> None:
        self.closed = False
        self.paused = False
        self._beat = beat
        self._moment = moment
        self._spare = spare * beat
        self._moment_ends_at = -math.inf
        self._due = -math.inf  # of the next moment, were they spread evenly
        self._loop = asyncio.get_running_loop()
        self._arrived: list[Sendable] = []
        self._waiting: list[Sendable] = []

    def schedule(self, batch: Sendable) -> None:
        """
        Call its `Sendable.send` once it may, not before the next turn of the loop: more of it may come in
        this one.
        """
        if not self._arrived:
            self._loop.call_soon(self._look)
        self._arrived.append(batch)

    def _look(self) -> None:
        arrived, self._arrived = self._arrived, []
        now = self._loop.time()
        for batch in arrived:
            if now < self._moment_ends_at or batch.is_large:
                batch.send()
                continue
            next_at = self._due - self._spare
            if not self._waiting and now >= next_at:
                self._begin_moment(now)
                batch.send()
                continue
            if not self._waiting:
                self._loop.call_at(next_at, self._send_waiting)
            self._waiting.append(batch)

    def _send_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._begin_moment(self._loop.time())
        for batch in waiting:
            batch.send()

    def _begin_moment(self, now: float) -> None:
        self._moment_ends_at, self._due = now + self._moment, max(self._due, now) + self._beat
