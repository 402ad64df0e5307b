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
from connector.publish.partition_sender import PartitionSender
from connector.publish.pauses import Pauses
from connector.publish.size import BATCH_OVERHEAD
from connector.publish.submitted_records import DeliveryCallback
from connector.records.record import SourceRecord


class Topic:
    """
    Its partitions' senders, and the limits of what it accepts.

    ``ready`` is set once it was found or created; before that nothing may be added. ``error`` says what
    keeps it from being ready, ``None`` where nothing is known. With ``is_awaited`` a socket opens once it is
    ready, so we must be allowed to write to it. ``linger``: seconds that its senders wait for more rows.
    ``refusal`` says why it can never exist, ``None`` where it can: its rows are bad. ``pauses`` of ``None``:
    nothing cuts its senders' pauses short. ``epochs`` of ``None``: rows are durable once they are
    acknowledged.
    """

    def __init__(
        self,
        name: str,
        *,
        max_batch_bytes: int,
        compressed: bool,
        linger: float = 0.0,
        epochs: Epochs | None = None,
        pauses: Pauses | None = None,
    ) -> None:
        self.name = name
        self.limits = KnownLimits(max_batch_bytes=max_batch_bytes, compressed=compressed)
        self.ready = anyio.Event()
        self.is_awaited = False
        self.error: str | None = None
        self.refusal: DataError | None = None
        self.senders: list[PartitionSender] = []
        self._linger = linger
        self._epochs = epochs
        self._pauses = pauses or Pauses()
        self._turn = 0

    @property
    def held(self) -> int:
        """Rows that are not yet acknowledged."""
        return sum(sender.held for sender in self.senders)

    def explain(self) -> str:
        """Say why it is not ready yet."""
        return self.error or f"topic {self.name} is waited for: kafka has not answered yet"

    def add(self, rows: Sequence[SourceRecord], submission: DeliveryCallback, now_ms: int) -> None:
        """Queue ``rows`` in their order; ``now_ms`` stamps those without an event time."""
        if self.refusal is not None:
            for key, value, moment, headers in rows:
                entry = (key, value, now_ms if moment is None else moment, headers, submission)
                give_up(entry, self.refusal, executing_class=Topic, topic=self.name, partition=None)
            return
        limits = self.limits
        earliest, latest = limits.window(now_ms)
        queues, count, limit = [sender.queue for sender in self.senders], len(self.senders), limits.certain
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
                    self._give_up((key, value, moment, headers, submission), index, without_key(self.name))
                    continue
            else:
                index = (murmur2(key) & POSITIVE) % count
                size = len(value) + len(key)
            if size > largest:
                error = too_large(self.name, size, limit)
                self._give_up((key, value, moment, headers, submission), index, error)
                continue
            queues[index].append((key, value, moment, headers, submission))

    def _give_up(self, entry: Entry, partition: int, error: DataError) -> None:
        give_up(entry, error, executing_class=Topic, topic=self.name, partition=partition)

    def grow(self, partitions: int) -> list[PartitionSender]:
        """Have ``partitions`` senders, if these are more than before; return the new ones."""
        new = [
            PartitionSender(
                self.name,
                number,
                self.limits,
                linger=self._linger,
                kept=KeptRows(self._epochs.progressed) if self._epochs else None,
                pauses=self._pauses,
            )
            for number in range(len(self.senders), partitions)
        ]
        self.senders += new
        return new

    def fold(self, partitions: int) -> None:
        """Keep ``partitions`` senders, none of them running; rows of the others go where their keys do."""
        surplus, self.senders = self.senders[partitions:], self.senders[:partitions]
        for sender in surplus:
            for entry in sender.take_all():
                index = sender.partition if entry[0] is None else positive_hash(entry[0])
                self.senders[index % partitions].queue.append(entry)

    def give_up_all(self) -> None:
        """Give up what its senders hold, none of them running, for its ``refusal``; what is kept stays."""
        if self.refusal is not None:
            for sender in self.senders:
                for entry in sender.drain():
                    self._give_up(entry, sender.partition, self.refusal)
            if self._epochs is not None:
                self._epochs.progressed()

    def wake(self) -> None:
        """Let the senders that have rows send them."""
        for sender in self.senders:
            sender.wake()


def too_many(topic: str, most: int) -> DataError:
    """Return the error of a row whose topic would be one more than ``most``."""
    return ContentRefused(
        "topics_max", f"topic {topic} is not made: rows have named {most} topics already (topics.max)"
    )


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
