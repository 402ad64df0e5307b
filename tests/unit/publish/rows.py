"""Rows, submissions, and publishers that run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import msgspec

from connector.errors import DataError
from connector.kafka import KafkaSettings
from connector.publish import Publisher, PublishSettings, Submission, SubmittedRecords, Topic
from connector.publish.partition_sender import PartitionSender
from connector.publish.request_scheduler import RequestScheduler
from connector.records.bad import BadRecord, Stage
from connector.records.record import Headers, SourceRecord
from tests.unit.publish.fakes import FakeBrokers

NOW = 1_700_000_000_000
KAFKA = KafkaSettings(bootstrap_servers="nowhere:9092", client_id="test")


class Seen:
    """What an observer and a submitted were told."""

    def __init__(self) -> None:
        self.states: list[str] = []
        self.refused: list[str] = []
        self.codes: list[str] = []
        self.rebuilt = 0
        self.settled: list[Submission] = []
        self.bad: list[BadRecord] = []
        self.submitted = SubmittedRecords(self.settled.extend, self._bad)

    @property
    def failed(self) -> list[DataError]:
        return [record.error for record in self.bad]

    def _bad(self, record: BadRecord, submission: Submission) -> bool:
        self.bad.append(record)
        return False

    def kafka_state(self, state: str) -> None:
        self.states.append(state)

    def producer_rebuilt(self) -> None:
        self.rebuilt += 1

    def kafka_refused(self, code: str) -> None:
        self.codes.append(code)

    def batch_refused(self, reason: str) -> None:
        self.refused.append(reason)

    def submission(self, rows: int, size: int = 0) -> Submission:
        return self.submitted.open(rows=rows, size=size, received_at=0.0)

    async def all_settled(self) -> None:
        """Wait until every row is acknowledged or given up."""
        await self.submitted.below(0)


def numbered(numbers: Sequence[int], *, key: bytes | None = None, size: int = 6) -> list[SourceRecord]:
    """Rows whose values are these numbers."""
    return [(key, b"%0*d" % (size, number), None, []) for number in numbers]


def row(
    value: bytes, *, key: bytes | None = None, moment: int | None = None, headers: Headers | None = None
) -> SourceRecord:
    return key, value, moment, headers or []


def bad_row(value: bytes | msgspec.Raw = b"bad", error: DataError | None = None, **known: Any) -> BadRecord:
    """A row that cannot be published."""
    known = {"stage": Stage.PRODUCE, "executing_class": PartitionSender, "headers": [], **known}
    return BadRecord(error=error or DataError("bad"), value=value, **known)


def sender_of(*, linger: float = 0.0, max_batch_bytes: int = 900 * 1024) -> tuple[Topic, PartitionSender]:
    """Topic ``t`` and its only sender."""
    topic = Topic("t", max_batch_bytes=max_batch_bytes, compressed=False, linger=linger)
    (sender,) = topic.grow(1)
    return topic, sender


def add(topic: Topic, seen: Seen, rows: Sequence[SourceRecord], now_ms: int = NOW) -> Submission:
    """Queue rows as one frame."""
    submission = seen.submission(len(rows))
    topic.add(rows, submission, now_ms)
    topic.wake()
    return submission


@asynccontextmanager
async def sender_running(sender: PartitionSender, brokers: FakeBrokers) -> AsyncIterator[RequestScheduler]:
    """Run a sender with one producer after the other, as the publisher does."""
    scheduler = RequestScheduler()

    async def run() -> None:
        while True:
            producer = await brokers.start_producer()
            scheduler.closed = False
            try:
                await sender.run(producer, scheduler)
            finally:
                await producer.discard()

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        yield scheduler
        group.cancel_scope.cancel()


@asynccontextmanager
async def publishing(
    brokers: FakeBrokers, seen: Seen, settings: PublishSettings | None = None, **kafka: int
) -> AsyncIterator[Publisher]:
    """A running publisher; cancelled at the end."""
    of_kafka = KafkaSettings(bootstrap_servers="nowhere:9092", client_id="test", **kafka)  # type: ignore[arg-type]
    publisher = Publisher(of_kafka, settings or PublishSettings(), seen, brokers=brokers)
    async with anyio.create_task_group() as group:
        group.start_soon(publisher.run)
        yield publisher
        group.cancel_scope.cancel()


async def publish(
    publisher: Publisher, seen: Seen, rows: Sequence[SourceRecord], topic: str = "t"
) -> Submission:
    """Queue rows as one frame once the topic is ready."""
    await publisher.topic(topic).ready.wait()
    submission = seen.submission(len(rows))
    publisher.add({topic: rows}, submission, NOW)
    return submission
