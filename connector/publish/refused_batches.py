"""What is done with batches that the brokers refused for their content."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

from connector.kafka import ContentRefused
from connector.publish.bisection import Bisection
from connector.publish.entry import Entry, give_up, restamped
from connector.publish.in_flight_batch import InFlightBatch
from connector.publish.known_limits import KnownLimits


@dataclass(slots=True)
class RefusedBatches:
    """
    Those of ``partition`` of ``topic``. A refused batch is halved until the bad row is alone; that one is
    mended, or given up. What is learned is put into ``limits``.

    ``search`` is what is known of the rows that were refused together; ``None`` where no bad row is searched.
    """

    topic: str
    partition: int
    limits: KnownLimits
    search: Bisection | None = None

    def take(self, batch: InFlightBatch, error: ContentRefused, queue: deque[Entry]) -> None:
        """Put rows of ``batch`` that may be sent again before those of ``queue``; give a bad one up."""
        entries = batch.entries
        if len(entries) > 1:
            self.search = self.search or Bisection()
            self.search.refused(len(entries), batch.batch.size(), error.reason)
            queue.extendleft(reversed(entries))
            return
        (entry,) = entries
        if self.search:
            self.search.blame()
        if error.reason == "timestamp" and self._mend(entry, queue):
            return
        if error.reason == "too_large":
            self.limits.learn_row_size(entry)
        alone = ContentRefused(
            error.reason, f"topic {self.topic} refuses a row of {len(entry[1])} bytes: {error}"
        )
        give_up(entry, alone, executing_class=RefusedBatches, topic=self.topic, partition=self.partition)
        self.dealt_with(1, acknowledged=False)

    def dealt_with(self, rows: int, *, acknowledged: bool) -> None:
        """Take note that the next ``rows`` are acknowledged, or else given up."""
        search = self.search
        if search is not None and search.cleared(rows, acknowledged=acknowledged):
            if search.learned_cap is not None:
                self.limits.learn_batch_size(search.learned_cap)
            self.search = None

    def precede(self, rows: int) -> None:
        """Take note that ``rows`` that the brokers had taken are sent again before the others."""
        if self.search is not None:
            self.search.good += rows

    def _mend(self, entry: Entry, queue: deque[Entry]) -> bool:
        """Queue ``entry`` again with another timestamp; return whether that may help."""
        now_ms = round(time.time() * 1000)
        mended = restamped(entry, now_ms)
        if mended is None:
            return False
        self.limits.times_replaced += 1
        self.limits.learn_time(entry[2], now_ms)
        others = [self.limits.mended(queued, now_ms) for queued in queue]
        queue.clear()
        queue.append(mended)
        queue.extend(others)
        return True
