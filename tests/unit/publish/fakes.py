"""Brokers and a producer in memory, as strict as the real ones."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
from anyio.lowlevel import checkpoint

from connector.errors import ConnectorError
from connector.kafka import (
    Batch,
    BrokerUnreachable,
    ContentRefused,
    KafkaSettings,
    NewTopics,
    NotAllowed,
    ProducerBroken,
    QueueFull,
    TopicCreation,
    TopicLimits,
    TopicMissing,
)
from connector.publish.known_limits import DEFAULT_MAX_MESSAGE_BYTES

LATENCY = 0.01
"""Seconds from sending a batch to its acknowledgement."""


@dataclass(frozen=True)
class Record:
    """As the brokers keep it."""

    key: bytes | None
    value: bytes
    timestamp: int | None
    headers: list[tuple[str, bytes]]


class FakeBatch:
    """Takes what fits into ``capacity`` bytes, and its first record however large."""

    def __init__(self, capacity: int) -> None:
        self.records: list[Record] = []
        self._capacity = capacity
        self._size = 61

    def extend(self, records: Iterable[tuple[bytes | None, Any, int, list[tuple[str, bytes]], Any]]) -> int:
        before = len(self.records)
        for key, value, timestamp, headers, _ in records:
            taken = 10 + len(key or b"") + len(value)
            if self.records and self._size + taken > self._capacity:
                break
            self.records.append(Record(key, bytes(value), timestamp, list(headers)))
            self._size += taken
        return len(self.records) - before

    def size(self) -> int:
        return self._size


@dataclass
class FakeTopic:
    """``refuses`` names why a record is refused, ``None`` when it is not; ``limit`` is of a whole batch."""

    partitions: int = 1
    limit: int | None = None
    refuses: Callable[[Record], str | None] = lambda record: None
    limits: TopicLimits = field(default_factory=TopicLimits)


class FakeBrokers:
    """
    ``batches`` holds what was written, by topic and partition. ``failures`` are raised by the next writes
    to a partition, before the batch is written, ``lost_answers`` after it. ``start_errors`` are raised by
    the next starts. ``refused`` counts batches refused for their content. ``settings`` are the last that
    were given, ``reason`` is what `explain` says, ``explained`` how often it was asked. ``is_away``: the
    configuration leads to none of them. ``missing`` are topics that are gone, and that batches wait for.
    ``is_slow_to_hear``: who is asked about a topic that was just created knows the defaults only.
    """

    def __init__(self, *, capacity: int = 1 << 20) -> None:
        self.capacity = capacity
        self.topics: dict[str, FakeTopic] = {}
        self.batches: dict[tuple[str, int], list[list[Record]]] = defaultdict(list)
        self.failures: dict[tuple[str, int], deque[ConnectorError]] = defaultdict(deque)
        self.lost_answers: dict[tuple[str, int], deque[ConnectorError]] = defaultdict(deque)
        self.start_errors: deque[BaseException] = deque()
        self.create_errors: dict[str, ConnectorError] = {}
        self.admin_calls: list[str] = []
        self.producers: list[FakeProducer] = []
        self.settings: list[KafkaSettings] = []
        self.reason: str | None = None
        self.explained = 0
        self.refusal: str | None = None
        self.missing: set[str] = set()
        self.throttled_until = 0.0
        self.is_away = False
        self.is_slow_to_hear = False
        self.in_flight: dict[tuple[str, int], int] = defaultdict(int)
        self.most_in_flight = 0
        self.refused = 0
        self.forbidden: set[str] = set()
        self.latency: dict[tuple[str, int], float] = defaultdict(lambda: LATENCY)
        self._thawed = anyio.Event()
        self._thawed.set()

    def create(
        self,
        name: str,
        partitions: int = 1,
        *,
        limit: int | None = None,
        refuses: Callable[[Record], str | None] = lambda record: None,
        limits: TopicLimits | None = None,
    ) -> FakeTopic:
        topic = FakeTopic(partitions, limit, refuses, limits or TopicLimits(max_batch_bytes=limit))
        self.topics[name] = topic
        return topic

    def values(self, topic: str = "t", partition: int = 0) -> list[bytes]:
        return [record.value for record in self.records(topic, partition)]

    def records(self, topic: str = "t", partition: int = 0) -> list[Record]:
        return [record for batch in self.batches[topic, partition] for record in batch]

    def freeze(self) -> None:
        self._thawed = anyio.Event()

    def thaw(self) -> None:
        self._thawed.set()

    async def start_producer(self) -> FakeProducer:
        await anyio.sleep(LATENCY)
        await self._thawed.wait()
        if self.start_errors:
            raise self.start_errors.popleft()
        self.producers.append(FakeProducer(self))
        return self.producers[-1]

    def move(self) -> None:
        """Have the brokers elsewhere: the producers that there are do not hear of them any more."""
        for producer in self.producers:
            producer.left_behind_at = anyio.current_time()

    def reconfigure(self, settings: KafkaSettings) -> None:
        self.settings.append(settings)

    async def explain(self) -> str | None:
        self.explained += 1
        await anyio.sleep(LATENCY)
        return self.reason

    async def are_found(self) -> bool:
        await anyio.sleep(LATENCY)
        return not self.is_away

    async def create_topics(self, topics: Sequence[str], new: NewTopics) -> TopicCreation:
        self.admin_calls.append("create")
        await anyio.sleep(LATENCY)
        created = [name for name in topics if name not in self.create_errors and name not in self.topics]
        for name in created:
            limit = new.config_of(name).get("max.message.bytes")
            topic = self.create(name, max(new.partitions, 1), limit=int(limit) if limit else None)
            if self.is_slow_to_hear:
                topic.limits = TopicLimits(max_batch_bytes=DEFAULT_MAX_MESSAGE_BYTES)
        refused = {name: error for name, error in self.create_errors.items() if name in topics}
        return TopicCreation(created=frozenset(created), refused=refused)

    async def topic_limits(self, topics: Sequence[str]) -> Mapping[str, TopicLimits]:
        self.admin_calls.append("limits")
        await anyio.sleep(LATENCY)
        return {name: self.topics[name].limits for name in topics}

    async def take(self, batch: FakeBatch, topic: str, partition: int) -> None:
        place = topic, partition
        if topic not in self.topics or partition >= self.topics[topic].partitions:
            raise TopicMissing(topic)
        self.in_flight[place] += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight[place])
        try:
            await anyio.sleep(self.latency[place] / 2)
            await self._thawed.wait()
            if self.failures[place]:
                raise self.failures[place].popleft()
            self._refuse(batch, self.topics[topic])
            self.batches[place].append(batch.records)
            if self.lost_answers[place]:
                raise self.lost_answers[place].popleft()
            await anyio.sleep(self.latency[place] / 2)  # cut here, a batch is written and not acknowledged
        finally:
            self.in_flight[place] -= 1

    def _refuse(self, batch: FakeBatch, topic: FakeTopic) -> None:
        if topic.limit is not None and batch.size() > topic.limit:
            self.refused += 1
            raise ContentRefused("too_large", "larger than the topic's max.message.bytes")
        for record in batch.records:
            if (reason := topic.refuses(record)) is not None:
                self.refused += 1
                raise ContentRefused(reason, f"refused for {reason}")


class FakeProducer:
    """
    Once a write failed for good, the partition's next write fails too, as sequence numbers have a hole.

    ``begun_when_broken`` counts writes that were begun after another had broken it, ``renewed`` looks at the
    certificates. ``acknowledged`` are the values that were.
    """

    def __init__(self, brokers: FakeBrokers) -> None:
        self.closed: str | None = None
        self.begun_when_broken = 0
        self.renewed = 0
        self.acknowledged: list[bytes] = []
        self._brokers = brokers
        self.left_behind_at: float | None = None
        self._is_broken = False
        self._holes: set[tuple[str, int]] = set()
        self._under_way: set[asyncio.Future[None]] = set()

    def new_batch(self, max_bytes: int) -> Batch:
        return FakeBatch(min(max_bytes, self._brokers.capacity))

    def offer(
        self, batch: Batch, topic: str, partition: int, answered: Callable[[ConnectorError | None], None]
    ) -> bool:
        coming = self._brokers.failures[topic, partition]
        if coming and isinstance(coming[0], QueueFull | BrokerUnreachable):
            return False
        if partition >= (self.known_partitions(topic) or 0):
            return False

        def end(writing: asyncio.Future[None]) -> None:
            self._under_way.discard(writing)
            error = ProducerBroken("closed") if writing.cancelled() else writing.exception()
            assert error is None or isinstance(error, ConnectorError), error
            answered(error)

        writing = asyncio.ensure_future(self.write(batch, topic, partition))
        self._under_way.add(writing)
        writing.add_done_callback(end)
        return True

    async def write(self, batch: Batch, topic: str, partition: int) -> None:
        assert isinstance(batch, FakeBatch)
        assert batch.records, "an empty batch"
        assert self.closed is None, "used after it was closed"
        self.begun_when_broken += self._is_broken
        if self.left_behind_at is not None:
            await anyio.sleep_forever()
        if (topic, partition) in self._holes:
            raise ProducerBroken("out of order sequence number")
        try:
            await self._brokers.take(batch, topic, partition)
        except (ContentRefused, ProducerBroken):
            self._holes.add((topic, partition))
            self._is_broken = True
            raise
        self.acknowledged += [record.value for record in batch.records]

    async def partitions(self, topic: str, *, timeout: float) -> int:
        await anyio.sleep(LATENCY)
        if self.left_behind_at is not None:
            raise BrokerUnreachable("no answer from the old addresses")
        if topic not in self._brokers.topics:
            await anyio.sleep(timeout)
            raise TopicMissing(topic)
        return self._brokers.topics[topic].partitions

    async def require_write(self, topic: str, *, timeout: float) -> None:
        await anyio.sleep(LATENCY)
        if topic in self._brokers.forbidden:
            raise NotAllowed(f"to write to topic {topic}")

    def known_partitions(self, topic: str) -> int | None:
        known = self._brokers.topics.get(topic)
        return known.partitions if known else None

    def refusal(self) -> str | None:
        return self._brokers.refusal

    @property
    def missing_topics(self) -> set[str]:
        return self._brokers.missing

    @property
    def unheard_for(self) -> float:
        return 0.0 if self.left_behind_at is None else anyio.current_time() - self.left_behind_at

    @property
    def throttled_for(self) -> float:
        return max(self._brokers.throttled_until - anyio.current_time(), 0.0)

    async def renew(self) -> None:
        self.renewed += 1
        await checkpoint()

    async def stop(self, *, timeout: float) -> None:
        self.closed = "stopped"
        await checkpoint()

    async def discard(self) -> None:
        self.closed = "discarded"
        for writing in self._under_way:
            writing.cancel()
        with anyio.CancelScope(shield=True):
            await anyio.sleep(LATENCY)
