"""Rows, receipts, and publishers that run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import msgspec

from connector.errors import DataError
from connector.kafka import KafkaSettings
from connector.publish import Ledger, Publisher, PublishSettings, Receipt, Topic
from connector.publish.gate import Gate
from connector.publish.lane import Lane
from connector.records.bad import BadRecord, Stage
from connector.records.record import Headers, SourceRecord
from tests.unit.publish.fakes import FakeBrokers

NOW = 1_700_000_000_000
KAFKA = KafkaSettings(bootstrap_servers="nowhere:9092", client_id="test")


class Seen:
    """What an observer and a ledger were told."""

    def __init__(self) -> None:
        self.states: list[str] = []
        self.refused: list[str] = []
        self.rebuilt = 0
        self.settled: list[Receipt] = []
        self.bad: list[BadRecord] = []
        self.ledger = Ledger(self.settled.extend, self._bad)

    @property
    def failed(self) -> list[DataError]:
        return [record.error for record in self.bad]

    def _bad(self, record: BadRecord, receipt: Receipt) -> bool:
        self.bad.append(record)
        return False

    def kafka_state(self, state: str) -> None:
        self.states.append(state)

    def producer_rebuilt(self) -> None:
        self.rebuilt += 1

    def batch_refused(self, reason: str) -> None:
        self.refused.append(reason)

    def receipt(self, rows: int, size: int = 0) -> Receipt:
        return self.ledger.open(rows=rows, size=size, received_at=0.0)

    async def all_settled(self) -> None:
        """Wait until every row is acknowledged or given up."""
        await self.ledger.below(0)


def numbered(numbers: Sequence[int], *, key: bytes | None = None, size: int = 6) -> list[SourceRecord]:
    """Rows whose values are these numbers."""
    return [(key, b"%0*d" % (size, number), None, []) for number in numbers]


def row(
    value: bytes, *, key: bytes | None = None, moment: int | None = None, headers: Headers | None = None
) -> SourceRecord:
    return key, value, moment, headers or []


def bad_row(value: bytes | msgspec.Raw = b"bad", error: DataError | None = None, **known: Any) -> BadRecord:
    """A row that cannot be published."""
    known = {"stage": Stage.PRODUCE, "executing_class": Lane, "headers": [], **known}
    return BadRecord(error=error or DataError("bad"), value=value, **known)


def lane_of(*, linger: float = 0.0, max_batch_bytes: int = 900 * 1024) -> tuple[Topic, Lane]:
    """Topic ``t`` and its only lane."""
    topic = Topic("t", max_batch_bytes=max_batch_bytes, compressed=False, linger=linger)
    (lane,) = topic.grow(1)
    return topic, lane


def add(topic: Topic, seen: Seen, rows: Sequence[SourceRecord], now_ms: int = NOW) -> Receipt:
    """Queue rows as one frame."""
    receipt = seen.receipt(len(rows))
    topic.add(rows, receipt, now_ms)
    topic.wake()
    return receipt


@asynccontextmanager
async def lane_running(lane: Lane, brokers: FakeBrokers) -> AsyncIterator[Gate]:
    """Run a lane with one producer after the other, as the publisher does."""
    gate = Gate()

    async def run() -> None:
        while True:
            producer = await brokers.start_producer()
            gate.shut = False
            try:
                await lane.run(producer, gate)
            finally:
                await producer.discard()

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        yield gate
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
) -> Receipt:
    """Queue rows as one frame once the topic is ready."""
    await publisher.topic(topic).ready.wait()
    receipt = seen.receipt(len(rows))
    publisher.add({topic: rows}, receipt, NOW)
    return receipt
