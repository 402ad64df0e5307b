"""Publishers on Apache Kafka, and rows for them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio

from connector.errors import DataError
from connector.kafka import KafkaSettings, NewTopics
from connector.publish import Publisher, PublishSettings, Submission, SubmittedRecords
from connector.records.bad import BadRecord
from connector.records.record import SourceRecord
from tests.integration.publish.leftovers import nothing_left_behind

CREATE = PublishSettings(create=NewTopics())
EXISTING = PublishSettings()
KAFKA = KafkaSettings(bootstrap_servers="", client_id="test")
IMPATIENT = replace(KAFKA, request_timeout=2.0)
DEADLINE = 120.0
STOP_DEADLINE = 8.0
NOW_MS = round(time.time() * 1000)
"""The present: records of a year ago are beyond retention, and go while a test runs."""


class Running:
    """A publisher under way, and what it told."""

    def __init__(self, publisher: Publisher | None = None) -> None:
        self.states: list[str] = []
        self.refused: list[str] = []
        self.codes: list[str] = []
        self.rebuilt = 0
        self.settled: list[Submission] = []
        self.failed: list[DataError] = []
        self.times_replaced = 0
        self.submitted = SubmittedRecords(self.settled.extend, self._bad)
        self._publisher = publisher

    def _bad(self, record: BadRecord, submission: Submission) -> bool:
        self.failed.append(record.error)
        return False

    @classmethod
    def of(cls, kafka: KafkaSettings, settings: PublishSettings) -> Running:
        """Return one that observes its publisher."""
        running = cls()
        running._publisher = Publisher(kafka, settings, running)
        return running

    @classmethod
    def beside(cls, other: Running) -> Running:
        """Return one with a submitted of its own, as another subscription has."""
        return cls(other.publisher)

    @property
    def publisher(self) -> Publisher:
        assert self._publisher is not None
        return self._publisher

    def kafka_state(self, state: str) -> None:
        self.states.append(state)

    def producer_rebuilt(self) -> None:
        self.rebuilt += 1

    def kafka_refused(self, code: str) -> None:
        self.codes.append(code)

    def batch_refused(self, reason: str) -> None:
        self.refused.append(reason)

    async def add(self, topic: str, rows: Sequence[SourceRecord], *, now_ms: int = NOW_MS) -> Submission:
        """Queue rows as one frame, once the topic is ready."""
        with anyio.fail_after(DEADLINE):
            await self.publisher.topic(topic).ready.wait()
        submission = self.submitted.open(rows=len(rows), size=0, received_at=0.0)
        self.times_replaced += self.publisher.add({topic: rows}, submission, now_ms)
        return submission

    async def all_settled(self, deadline: float = DEADLINE) -> None:
        """Wait until each row is acknowledged or given up."""
        with anyio.fail_after(deadline):
            await self.submitted.below(0)

    async def deliver(self, topic: str, rows: Sequence[SourceRecord], *, now_ms: int = NOW_MS) -> Submission:
        """Queue rows and wait until each is acknowledged or given up."""
        submission = await self.add(topic, rows, now_ms=now_ms)
        await self.all_settled()
        return submission


@asynccontextmanager
async def publishing(
    bootstrap_servers: str, settings: PublishSettings = CREATE, kafka: KafkaSettings = KAFKA
) -> AsyncIterator[Running]:
    """A running publisher; cancelled at the end, it must stop within seconds and leave nothing behind."""
    running = Running.of(replace(kafka, bootstrap_servers=bootstrap_servers), settings)
    async with nothing_left_behind():
        async with anyio.create_task_group() as group:
            group.start_soon(running.publisher.run)
            yield running
            group.cancel_scope.cancel()
            cancelled_at = anyio.current_time()
        assert anyio.current_time() - cancelled_at < STOP_DEADLINE


async def until(condition: Callable[[], bool], *, deadline: float = DEADLINE) -> None:
    """Wait until ``condition`` holds."""
    with anyio.fail_after(deadline):
        while not condition():  # noqa: ASYNC110 - what is waited for sets no event
            await anyio.sleep(0.01)


def numbered(numbers: Sequence[int], *, size: int = 8, key: bytes | None = b"k") -> list[SourceRecord]:
    """Rows whose values are these numbers, of ``size`` bytes each."""
    return [(key, b"%0*d" % (size, number), None, []) for number in numbers]
