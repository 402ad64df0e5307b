"""A topic as this process knows it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import anyio

from connector.errors import DataError
from connector.kafka import POSITIVE, ContentRefused, murmur2, positive_hash
from connector.publish.entry import Entry, event_time, give_up
from connector.publish.epochs import Epochs, KeptRows
from connector.publish.known_limits import KnownLimits
from connector.publish.lane import Lane
from connector.publish.receipt import Slip
from connector.publish.size import BATCH_OVERHEAD
from connector.records.record import SourceRecord


class Topic:
    """
    Its partitions' lanes, and the limits of what it accepts.

    ``ready`` is set once it was found or created; before that nothing may be added. ``error`` says what
    keeps it from being ready, ``None`` where nothing is known. With ``is_awaited`` a socket opens once it is
    ready, so we must be allowed to write to it. ``linger``: seconds that its lanes wait for more rows.
    ``epochs`` of ``None``: rows are durable once they are acknowledged.
    """

    def __init__(
        self,
        name: str,
        *,
        max_batch_bytes: int,
        compressed: bool,
        linger: float = 0.0,
        epochs: Epochs | None = None,
    ) -> None:
        self.name = name
        self.limits = KnownLimits(max_batch_bytes=max_batch_bytes, compressed=compressed)
        self.ready = anyio.Event()
        self.is_awaited = False
        self.error: str | None = None
        self.lanes: list[Lane] = []
        self._linger = linger
        self._epochs = epochs
        self._turn = 0

    @property
    def held(self) -> int:
        """Rows that are not yet acknowledged."""
        return sum(lane.held for lane in self.lanes)

    def explain(self) -> str:
        """Say why it is not ready yet."""
        return self.error or f"topic {self.name} is waited for: kafka has not answered yet"

    def add(self, rows: Sequence[SourceRecord], receipt: Slip, now_ms: int) -> None:
        """Queue ``rows`` in their order; ``now_ms`` stamps those without an event time."""
        limits = self.limits
        earliest, latest = limits.window(now_ms)
        queues, count, limit = [lane.queue for lane in self.lanes], len(self.lanes), limits.certain
        largest = sys.maxsize if limit is None else limit - BATCH_OVERHEAD
        for key, value, moment, headers in rows:
            if moment is None:
                moment = now_ms
            elif not earliest <= moment <= latest:
                headers = [*headers, event_time(moment)]
                moment = now_ms
                limits.times_replaced += 1
            if key is None:
                index = self._turn = (self._turn + 1) % count
                size = len(value)
                if limits.told.is_compacted:
                    self._give_up((key, value, moment, headers, receipt), index, without_key(self.name))
                    continue
            else:
                index = (murmur2(key) & POSITIVE) % count
                size = len(value) + len(key)
            if size > largest:
                error = too_large(self.name, size, limit)
                self._give_up((key, value, moment, headers, receipt), index, error)
                continue
            queues[index].append((key, value, moment, headers, receipt))

    def _give_up(self, entry: Entry, partition: int, error: DataError) -> None:
        give_up(entry, error, worker=Topic, topic=self.name, partition=partition)

    def grow(self, partitions: int) -> list[Lane]:
        """Have ``partitions`` lanes, if these are more than before; return the new ones."""
        new = [
            Lane(
                self.name,
                number,
                self.limits,
                linger=self._linger,
                kept=KeptRows(self._epochs.progressed) if self._epochs else None,
            )
            for number in range(len(self.lanes), partitions)
        ]
        self.lanes += new
        return new

    def fold(self, partitions: int) -> None:
        """Keep ``partitions`` lanes, none of them running; rows of the others go where their keys do."""
        surplus, self.lanes = self.lanes[partitions:], self.lanes[:partitions]
        for lane in surplus:
            for entry in lane.take_all():
                index = lane.partition if entry[0] is None else positive_hash(entry[0])
                self.lanes[index % partitions].queue.append(entry)

    def wake(self) -> None:
        """Let the lanes that have rows send them."""
        for lane in self.lanes:
            lane.wake()


def without_key(topic: str) -> DataError:
    """Return the error of a row that has no key, and needs one."""
    return ContentRefused(
        "invalid", f"topic {topic} refuses a row without a key (a compacted topic wants keys)"
    )


def too_large(topic: str, size: int, limit: int | None) -> DataError:
    """Return the error of a row that no batch of the topic can hold."""
    return ContentRefused(
        "too_large", f"a row of {size} bytes is larger than topic {topic} allows (max.message.bytes={limit})"
    )
