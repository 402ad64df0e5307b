"""A topic as this process knows it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import anyio

from connector.errors import DataError
from connector.kafka import POSITIVE, ContentRefused, TopicLimits, murmur2, positive_hash
from connector.publish.entry import Entry, event_time, give_up, restamped
from connector.publish.lane import Lane
from connector.publish.receipt import Slip
from connector.publish.size import BATCH_OVERHEAD, weight
from connector.records.record import SourceRecord

DEFAULT_MAX_MESSAGE_BYTES = 1_048_588
"""Kafka's default for ``max.message.bytes``, taken where the topic cannot be asked."""

DEFAULT_FUTURE_MS = 3_600_000
"""Kafka's default for ``message.timestamp.after.max.ms``."""


class Topic:
    """
    Its partitions' lanes, and what it accepts.

    ``ready`` is set once it was found or created; before that nothing may be added. ``error`` says what
    keeps it from being ready, ``None`` where nothing is known. With ``is_awaited`` a socket opens once it is
    ready, so we must be allowed to write to it.
    """

    def __init__(self, name: str, *, max_batch_bytes: int, compressed: bool) -> None:
        self.name = name
        self.ready = anyio.Event()
        self.is_awaited = False
        self.error: str | None = None
        self.lanes: list[Lane] = []
        self.times_replaced = 0
        self._max_batch_bytes = max_batch_bytes
        self._compressed = compressed
        self._turn = 0
        self.limits = TopicLimits()
        self._certain_limit: int | None = None
        self.cap = max_batch_bytes
        self.learn(self.limits)

    def explain(self) -> str:
        """Say why it is not ready yet."""
        return self.error or f"topic {self.name} is waited for: kafka has not answered yet"

    @property
    def certain_limit(self) -> int | None:
        """Bytes of a batch above which the brokers refuse it for certain; ``None`` where only they know."""
        return self._certain_limit

    def learn(self, limits: TopicLimits) -> None:
        """Take what the brokers said of it."""
        self.limits = limits
        limit = limits.max_batch_bytes or DEFAULT_MAX_MESSAGE_BYTES
        self.cap = min(self._max_batch_bytes, limit)
        # A compressed row may be smaller than it looks, so only the broker can refuse it.
        self._certain_limit = None if self._compressed else limits.max_batch_bytes
        self._future_ms = DEFAULT_FUTURE_MS if limits.future_ms is None else limits.future_ms
        self._past_ms = limits.past_ms

    def learn_time(self, refused_ms: int, now_ms: int) -> None:
        """
        Take note that the brokers refused ``refused_ms`` as a timestamp at ``now_ms``.

        Half of the distance is taken for the limit: a backlog whose rows are each a little younger than
        the last would otherwise cost one refused batch each.
        """
        ahead = refused_ms - now_ms
        if ahead > 0:
            self._future_ms = min(self._future_ms, ahead // 2)
        else:
            past_ms = -ahead // 2
            self._past_ms = past_ms if self._past_ms is None else min(self._past_ms, past_ms)

    def learn_size(self, refused: Entry) -> None:
        """Take note that the brokers found one row too large: larger ones need not be tried."""
        if not self._compressed:
            key, value, _, headers, _ = refused
            limit = weight(key, headers) + len(value)
            self._certain_limit = limit if self._certain_limit is None else min(limit, self._certain_limit)

    def add(self, rows: Sequence[SourceRecord], receipt: Slip, now_ms: int) -> None:
        """Queue ``rows`` in their order; ``now_ms`` stamps those without an event time."""
        earliest, latest = self._window(now_ms)
        queues, count, limit = [lane.queue for lane in self.lanes], len(self.lanes), self._certain_limit
        largest = sys.maxsize if limit is None else limit - BATCH_OVERHEAD
        for key, value, moment, headers in rows:
            if moment is None:
                moment = now_ms
            elif not earliest <= moment <= latest:
                headers = [*headers, event_time(moment)]
                moment = now_ms
                self.times_replaced += 1
            if key is None:
                index = self._turn = (self._turn + 1) % count
                size = len(value)
                if self.limits.is_compacted:
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

    def mended(self, entry: Entry, now_ms: int) -> Entry:
        """Return ``entry`` as the brokers take it, after `learn_time`."""
        earliest, latest = self._window(now_ms)
        if earliest <= entry[2] <= latest:
            return entry
        mended = restamped(entry, now_ms)
        if mended is None:
            return entry
        self.times_replaced += 1
        return mended

    def _window(self, now_ms: int) -> tuple[int, int]:
        return 0 if self._past_ms is None else now_ms - self._past_ms, now_ms + self._future_ms

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
