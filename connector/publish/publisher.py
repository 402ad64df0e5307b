"""
Rows → brokers: one producer at a time, and a lane for each partition.

The producer is rebuilt after every failure; the lanes keep what was not acknowledged.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, Protocol

import anyio
import structlog
from anyio.abc import TaskGroup

from connector.backoff import Backoff
from connector.errors import ConnectorError, DataError
from connector.kafka import ContentRefused, KafkaSettings, NewTopics, Producer
from connector.publish.lane import Gate, Lane
from connector.publish.receipt import Receipt
from connector.publish.topic import Topic
from connector.publish.topics import TopicKeeper
from connector.records.extract import Row

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishSettings:
    """
    ``create`` is ``None`` where topics must exist, and no admin call is made. After ``stall_after``
    seconds without an answer the brokers count as stalled; after ``give_up_after`` the producer is
    rebuilt.
    """

    create: NewTopics | None = None
    linger: float = 0.0
    stall_after: float = 10.0
    give_up_after: float = 120.0
    quiesce: float = 5.0


class Observer(Protocol):
    """What the publisher tells the outside; nothing here may raise or block."""

    def kafka_state(self, state: str) -> None:
        """``connecting``, ``up`` or ``stalled``."""

    def producer_rebuilt(self) -> None:
        """A producer was given up."""

    def batch_refused(self, reason: str) -> None:
        """The brokers refused a batch for its content."""


class Publisher:
    """One task's way to Kafka. `run` must be running; rows are added with `add`."""

    def __init__(self, kafka: KafkaSettings, settings: PublishSettings, observer: Observer) -> None:
        self._kafka = kafka
        self._settings = settings
        self._observer = observer
        self._topics: dict[str, Topic] = {}
        self._keeper = TopicKeeper(kafka, settings.create)
        self._producer: Producer | None = None
        self._group: TaskGroup | None = None
        self._broken: anyio.Event = anyio.Event()
        self._failure: ConnectorError | None = None
        self._gate = Gate()
        self._state = ""
        self.answered = anyio.Event()
        """Set for good once brokers answered."""

    def topic(self, name: str) -> Topic:
        """Return topic ``name``, which is looked for from now on; wait for its ``ready``."""
        topic = self._topics.get(name)
        if topic is None:
            topic = Topic(
                name,
                max_batch_bytes=self._kafka.max_batch_bytes,
                compressed=self._kafka.compression is not None,
            )
            self._topics[name] = topic
            self._keeper.want(topic)
        return topic

    def add(self, rows: Mapping[str, Sequence[Row]], receipt: Receipt, now_ms: int) -> int:
        """
        Queue the rows of one frame, by topic; each topic must be ready. Never waits.

        Return how many event times had to be replaced since the last call that named the topic.
        """
        replaced = 0
        for name, of_topic in rows.items():
            topic = self._topics[name]
            topic.add(of_topic, receipt, now_ms)
            topic.wake()
            replaced += topic.times_replaced
            topic.times_replaced = 0
        return replaced

    @property
    def held(self) -> int:
        """Rows that the brokers have not acknowledged."""
        return sum(lane.held for topic in self._topics.values() for lane in topic.lanes)

    async def run(self) -> NoReturn:
        """Keep a producer until cancelled; an outage of Kafka never ends this."""
        backoff = Backoff(first=0.5, cap=30.0)
        while True:
            self._set_state("connecting")
            try:
                producer = await Producer.start(self._kafka)
            except ConnectorError as error:
                delay = backoff.next(at_least=0.2)
                log.warning("kafka cannot be reached", error=str(error), retry_in_seconds=round(delay, 1))
                await anyio.sleep(delay)
                continue
            failure = await self._use(producer)
            self._observer.producer_rebuilt()
            if isinstance(failure, DataError):
                backoff.reset()
                continue
            log.warning("kafka producer rebuilt", error=str(failure))
            await anyio.sleep(backoff.next())

    async def _use(self, producer: Producer) -> ConnectorError | None:
        """Deliver with ``producer`` until it breaks; what is in flight then gets time to land."""
        self._producer, self._broken, self._failure = producer, anyio.Event(), None
        self._heard()
        self._gate = Gate()
        graceful = False
        try:
            async with anyio.create_task_group() as group:
                self._group = group
                group.start_soon(self._keep_topics, producer)
                group.start_soon(self._watch)
                for topic in self._topics.values():
                    for lane in topic.lanes:
                        group.start_soon(self._run_lane, lane, producer)
                await self._broken.wait()
                await self._quiesce()
                group.cancel_scope.cancel()
        except anyio.get_cancelled_exc_class():
            graceful = not self.held
            raise
        finally:
            self._group = self._producer = None
            if graceful:
                await producer.stop(timeout=2)
            else:
                await producer.discard()
        return self._failure

    async def _run_lane(self, lane: Lane, producer: Producer) -> None:
        failure = await lane.run(producer, self._gate)
        if isinstance(failure, ContentRefused):
            self._observer.batch_refused(failure.reason)
        else:
            log.warning(
                "kafka refused a batch", topic=lane.topic.name, partition=lane.partition, error=str(failure)
            )
        self._break(failure)

    def _break(self, failure: ConnectorError) -> None:
        if self._failure is None:
            self._failure = failure
        self._broken.set()

    async def _quiesce(self) -> None:
        """Let other lanes' batches land, so that the next producer does not send them twice."""
        self._gate.shut = True
        lanes = [lane for topic in self._topics.values() for lane in topic.lanes]
        with anyio.move_on_after(self._settings.quiesce):
            while any(lane.waiting_since is not None for lane in lanes):  # noqa: ASYNC110 - an outage is rare
                await anyio.sleep(0.005)

    async def _keep_topics(self, producer: Producer) -> None:
        await self._keeper.run(producer, self._open_lanes, self._heard)

    def _heard(self) -> None:
        self.answered.set()
        self._set_state("up")

    def _open_lanes(self, topic: Topic, partitions: int) -> None:
        """Add the lanes of new partitions."""
        while len(topic.lanes) < partitions:
            lane = Lane(topic, len(topic.lanes), self._settings.linger)
            topic.lanes.append(lane)
            if self._group is not None and self._producer is not None:
                self._group.start_soon(self._run_lane, lane, self._producer)

    async def _watch(self) -> NoReturn:
        """Notice brokers that do not answer."""
        while True:
            await anyio.sleep(1.0)
            since = [
                lane.waiting_since
                for topic in self._topics.values()
                for lane in topic.lanes
                if lane.waiting_since is not None
            ]
            waited = time.monotonic() - min(since) if since else 0.0
            if waited > self._settings.give_up_after:
                self._break(ConnectorError(f"no acknowledgement for {waited:.0f} s"))
            elif waited > self._settings.stall_after:
                self._set_state("stalled")
            elif self._state == "stalled":
                self._set_state("up")

    def _set_state(self, state: str) -> None:
        if state == self._state:
            return
        if state == "stalled":
            log.warning("kafka does not answer", rows_waiting=self.held)
        elif self._state in ("stalled", "connecting") and state == "up":
            log.info("kafka answers")
        self._state = state
        self._observer.kafka_state(state)

    @property
    def state(self) -> str:
        """``connecting``, ``up`` or ``stalled``; empty before `run`."""
        return self._state
