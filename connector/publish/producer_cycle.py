"""
One producer after the other.

It is rebuilt after every failure, and replaced where the settings are others; the senders keep what was not
acknowledged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

import anyio
import structlog

from connector.backoff import Backoff
from connector.errors import ConnectorError, DataError
from connector.kafka import KafkaSettings, NotAllowed
from connector.publish.brokers import Brokers, Writer
from connector.publish.delivery import Delivery
from connector.publish.epochs import Epochs
from connector.publish.pauses import Pauses
from connector.publish.settings import Observer, PublishSettings
from connector.publish.state import KafkaState
from connector.publish.topic import Topic
from connector.publish.topic_finder import TopicFinder

log = structlog.get_logger(__name__)

STOP = 2.0
"""Seconds that a producer with nothing left to deliver may take to close."""

CHANGED = "the settings of kafka changed"


class ProducerCycle:
    """
    Delivers the rows of ``topics``, which may grow. `run` must be running.

    ``pauses`` of ``None``: nothing cuts its pauses short. ``epochs`` of ``None``: a successor is started
    before the producer in use is ended. With epochs it is started when that one has ended,
    between two of them.
    """

    def __init__(
        self,
        brokers: Brokers,
        topics: Mapping[str, Topic],
        finder: TopicFinder,
        settings: PublishSettings,
        observer: Observer,
        epochs: Epochs | None,
        pauses: Pauses | None = None,
    ) -> None:
        self.state = KafkaState(observer)
        self.state.is_unproven = lambda: any(
            sender.is_unproven for topic in topics.values() for sender in topic.senders
        )
        self._brokers = brokers
        self._topics = topics
        self._finder = finder
        self._settings = settings
        self._observer = observer
        self._epochs = epochs
        self._pauses = pauses or Pauses()
        self._changed = anyio.Event()  # set when the settings are others; replaced as they are taken up
        self._successor: Writer | None = None  # started, and not yet in use
        self._delivery: Delivery | None = None
        self._is_paused = False
        if epochs is not None:
            epochs.ended = self._at_boundary

    def reconfigure(self, kafka: KafkaSettings) -> None:
        """Have the next producer use ``kafka``, and replace the present one."""
        self._brokers.reconfigure(kafka)
        self._changed.set()
        self._hand_over_at_boundary()

    def pause(self) -> None:
        """Send nothing more until `resume`, with any producer."""
        self._is_paused = True
        if self._delivery is not None:
            self._delivery.pause()

    def resume(self) -> None:
        """Send again."""
        self._is_paused = False
        if self._delivery is not None:
            self._delivery.resume()

    async def run(self) -> NoReturn:
        """Keep a producer until cancelled; an outage of Kafka never ends this."""
        rebuilds = Backoff(first=0.5, cap=5.0)
        try:
            producer = await self._connect(is_trouble=True)
            while True:
                delivered = self._delivered()
                failure, is_handed_over = await self._use(producer)
                if self._successor is not None or is_handed_over:
                    producer = self._successor or await self._connect(is_trouble=False)
                    self._successor = None
                    log.info("kafka producer replaced", reason=str(failure))
                    continue
                self._observer.producer_rebuilt()
                if self._delivered() > delivered:
                    rebuilds.reset()
                # Else the brokers are well, and a sender that was not allowed to write pauses by itself.
                is_trouble = not isinstance(failure, DataError | NotAllowed)
                if is_trouble:
                    self.state.explain(str(failure))
                    log.warning("kafka producer rebuilt", error=str(failure))
                    await self._pauses.sleep(rebuilds.next())
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
        self.state.connecting(is_trouble=is_trouble)
        outage = Backoff(first=0.5, cap=30.0)
        while True:
            self._changed = anyio.Event()
            try:
                return await self._brokers.start_producer()
            except ConnectorError as error:
                delay = outage.next(at_least=0.2)
                self.state.unreachable(str(error))
                log.warning("kafka cannot be reached", error=str(error), retry_in_seconds=round(delay, 1))
            await self._pauses.sleep(delay, woken=self._changed)

    async def _use(self, producer: Writer) -> tuple[ConnectorError, bool]:
        """Deliver with ``producer``; return why that is over, and whether it handed over at a boundary."""
        self.state.heard()
        delivery = self._delivery = self._deliver_with(producer)
        graceful = is_handed_over = False
        try:
            self._hand_over_at_boundary()  # settings may have changed while it started
            async with anyio.create_task_group() as group:
                if self._epochs is None:
                    group.start_soon(self._find_successor, delivery)
                failure = await delivery.run()
                group.cancel_scope.cancel()
            is_handed_over = self._epochs is not None and delivery.is_ended
        except anyio.get_cancelled_exc_class():
            graceful = not any(topic.held for topic in self._topics.values())
            raise
        finally:
            self._delivery = None
            if self._epochs is not None and not is_handed_over:
                self._epochs.producer_lost()
            if graceful:
                await producer.stop(timeout=STOP)
            else:
                await producer.discard()
        return failure, is_handed_over

    def _deliver_with(self, producer: Writer) -> Delivery:
        delivery = Delivery(
            producer,
            self._topics,
            self._finder,
            self._settings,
            self._observer,
            self.state,
            self._brokers,
            self._pauses,
        )
        if self._is_paused:
            delivery.pause()
        return delivery

    async def _find_successor(self, delivery: Delivery) -> None:
        """Once the settings are others, have a producer with them before the one in use is ended."""
        await self._changed.wait()
        outage = Backoff(first=0.5, cap=30.0)
        while True:
            self._changed = anyio.Event()
            try:
                # Nothing may come between this and the next line: a producer would be forgotten.
                self._successor = await self._brokers.start_producer()
                return delivery.end(CHANGED)
            except ConnectorError as error:
                delay = outage.next(at_least=0.2)
                log.warning(
                    "kafka cannot be reached with its new settings, the old connection serves",
                    error=str(error),
                    retry_in_seconds=round(delay, 1),
                )
            with anyio.move_on_after(delay):
                await self._changed.wait()

    def _hand_over_at_boundary(self) -> None:
        if self._epochs is not None and self._epochs.is_at_boundary:
            self._at_boundary()

    def _at_boundary(self) -> None:
        """End a producer whose settings are old; nothing of its last epoch is left to it."""
        if self._delivery is not None and self._changed.is_set():
            self._delivery.end(CHANGED)

    def _delivered(self) -> int:
        return sum(sender.rows_acknowledged for topic in self._topics.values() for sender in topic.senders)
