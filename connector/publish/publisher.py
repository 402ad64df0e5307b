"""
Rows → brokers: one producer at a time, and a lane for each partition.

The producer is rebuilt after every failure; the lanes keep what was not acknowledged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

import anyio
import structlog

from connector.backoff import Backoff
from connector.errors import ConnectorError, DataError
from connector.kafka import KafkaSettings, NotAllowed
from connector.publish.brokers import Brokers, Kafka, Writer
from connector.publish.delivery import Delivery
from connector.publish.receipt import Receipt
from connector.publish.settings import Observer, PublishSettings
from connector.publish.state import KafkaState
from connector.publish.topic import Topic
from connector.publish.topics import TopicKeeper
from connector.records.extract import Row

log = structlog.get_logger(__name__)

STOP = 2.0
"""Seconds that a producer with nothing left to deliver may take to close."""


class Publisher:
    """
    One task's way to Kafka. `run` must be running; rows are added with `add`.

    ``brokers`` of ``None`` means those of ``kafka``.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        settings: PublishSettings,
        observer: Observer,
        *,
        brokers: Brokers | None = None,
    ) -> None:
        self._kafka = kafka
        self._settings = settings
        self._observer = observer
        self._brokers = brokers or Kafka(kafka)
        self._topics: dict[str, Topic] = {}
        self._keeper = TopicKeeper(self._brokers, settings.create)
        self._state = KafkaState(observer)
        self._changed = anyio.Event()  # set when the settings are others; replaced as they are taken up
        self._successor: Writer | None = None  # started, and not yet in use

    @property
    def answered(self) -> anyio.Event:
        """Set for good once brokers answered."""
        return self._state.answered

    @property
    def state(self) -> str:
        """``connecting``, ``up`` or ``stalled``; empty before `run`."""
        return self._state.name

    @property
    def error(self) -> str | None:
        """What keeps the brokers from answering; ``None`` where nothing does, or nothing is known."""
        return self._state.error

    def reconfigure(self, kafka: KafkaSettings) -> None:
        """
        Use ``kafka`` from now on, for producers and for questions about topics.

        Where it is another than before, the running producer is replaced: it delivers until one with the new
        settings has started, what it has in flight gets time to land, and the rest goes to the new one, in
        order. Topics that are known keep their batch size and compression.
        """
        if kafka == self._kafka:
            return
        self._kafka = kafka
        self._brokers.reconfigure(kafka)
        self._changed.set()

    def topic(self, name: str, *, awaited: bool = False) -> Topic:
        """
        Return topic ``name``, which is looked for from now on; wait for its ``ready``.

        ``awaited``: a socket opens once it is ready. Sockets are billed, so the right to write comes first.
        """
        topic = self._topics.get(name)
        if topic is None:
            topic = Topic(
                name,
                max_batch_bytes=self._kafka.max_batch_bytes,
                compressed=self._kafka.compression is not None,
                linger=self._settings.linger,
            )
            self._topics[name] = topic
            self._keeper.want(topic)
        topic.is_awaited = topic.is_awaited or awaited
        return topic

    def forget(self, name: str) -> None:
        """Look no more for topic ``name`` where it was not found; nobody may be waiting for it."""
        topic = self._topics.get(name)
        if topic is not None and not topic.ready.is_set():
            del self._topics[name]
            self._keeper.forget(topic)

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
            replaced += topic.limits.times_replaced
            topic.limits.times_replaced = 0
        return replaced

    @property
    def held(self) -> int:
        """Rows that the brokers have not acknowledged."""
        return sum(lane.held for topic in self._topics.values() for lane in topic.lanes)

    async def run(self) -> NoReturn:
        """Keep a producer until cancelled; an outage of Kafka never ends this."""
        rebuilds = Backoff(first=0.5, cap=5.0)
        try:
            producer = await self._connect(is_trouble=True)
            while True:
                delivered = self._delivered()
                failure = await self._use(producer)
                if self._successor is not None:
                    producer, self._successor = self._successor, None
                    log.info("kafka producer replaced", reason=str(failure))
                    continue
                self._observer.producer_rebuilt()
                if self._delivered() > delivered:
                    rebuilds.reset()
                # Else the brokers are well, and a lane that was not allowed to write pauses by itself.
                is_trouble = not isinstance(failure, DataError | NotAllowed)
                if is_trouble:
                    log.warning("kafka producer rebuilt", error=str(failure))
                    await anyio.sleep(rebuilds.next())
                producer = await self._connect(is_trouble=is_trouble)
        finally:
            if self._successor is not None:
                await self._successor.discard()
                self._successor = None

    async def _connect(self, *, is_trouble: bool) -> Writer:
        """
        Return a producer, as soon as there is one; new settings are tried at once.

        ``is_trouble`` of false: the brokers were well a moment ago.
        """
        self._state.connecting(is_trouble=is_trouble)
        outage = Backoff(first=0.5, cap=30.0)
        while True:
            self._changed = anyio.Event()
            try:
                return await self._brokers.start_producer()
            except ConnectorError as error:
                delay = outage.next(at_least=0.2)
                self._state.connecting()
                self._state.explain(str(error))
                log.warning("kafka cannot be reached", error=str(error), retry_in_seconds=round(delay, 1))
            with anyio.move_on_after(delay):
                await self._changed.wait()

    async def _use(self, producer: Writer) -> ConnectorError:
        self._state.heard()
        graceful = False
        delivery = Delivery(
            producer, self._topics, self._keeper, self._settings, self._observer, self._state, self._brokers
        )
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._find_successor, delivery)
                failure = await delivery.run()
                group.cancel_scope.cancel()
        except anyio.get_cancelled_exc_class():
            graceful = not self.held
            raise
        finally:
            if graceful:
                await producer.stop(timeout=STOP)
            else:
                await producer.discard()
        return failure

    async def _find_successor(self, delivery: Delivery) -> None:
        """Once the settings are others, have a producer with them before the one in use is ended."""
        await self._changed.wait()
        outage = Backoff(first=0.5, cap=30.0)
        while True:
            self._changed = anyio.Event()
            try:
                # Nothing may come between this and the next line: a producer would be forgotten.
                self._successor = await self._brokers.start_producer()
                return delivery.end("the settings of kafka changed")
            except ConnectorError as error:
                delay = outage.next(at_least=0.2)
                log.warning(
                    "kafka cannot be reached with its new settings, the old connection serves",
                    error=str(error),
                    retry_in_seconds=round(delay, 1),
                )
            with anyio.move_on_after(delay):
                await self._changed.wait()

    def _delivered(self) -> int:
        return sum(lane.rows_acknowledged for topic in self._topics.values() for lane in topic.lanes)
