"""Rows → brokers: one producer at a time, and a sender for each partition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

import anyio

from connector.kafka import KafkaSettings
from connector.publish.brokers import Brokers, Kafka
from connector.publish.delivery import nothing_in_flight
from connector.publish.epochs import Epochs
from connector.publish.partition_sender import PartitionSender
from connector.publish.pauses import Pauses
from connector.publish.producer_cycle import ProducerCycle
from connector.publish.settings import EpochPolicy, Observer, PublishSettings
from connector.publish.submitted_records import DeliveryCallback
from connector.publish.topic import Topic, too_many
from connector.publish.topic_finder import TopicFinder
from connector.records.record import SourceRecord


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
        self._topics: dict[str, Topic] = {}
        self._pauses = Pauses()
        brokers = brokers or Kafka(kafka)
        self._finder = TopicFinder(brokers, settings.create, self._pauses)
        self._epochs: Epochs | None = None
        if settings.epochs is EpochPolicy.COMMITTED:
            self._epochs = Epochs(senders=self._senders, add=self.add)
        self._producers = ProducerCycle(
            brokers, self._topics, self._finder, settings, observer, self._epochs, self._pauses
        )

    @property
    def answered(self) -> anyio.Event:
        """Set for good once brokers answered."""
        return self._producers.state.answered

    @property
    def state(self) -> str:
        """``connecting``, ``up``, ``stalled``, ``refused`` or ``throttled``; empty before `run`."""
        return self._producers.state.name

    @property
    def error(self) -> str | None:
        """
        What keeps the brokers from answering or acknowledging, or a topic from being ready; ``None`` where
        nothing does, or nothing is known.
        """
        troubled = self._finder.troubled
        return self._producers.state.error or (troubled[0].error if troubled else None)

    @property
    def topics_not_ready(self) -> int:
        """Topics that are waited for, for a reason that is known."""
        return len(self._finder.troubled)

    def hurry(self) -> None:
        """The program stops: cut pauses after trouble short, so that what is held gets its try in time."""
        self._pauses.hurry()

    def reconfigure(self, kafka: KafkaSettings) -> None:
        """
        Use ``kafka`` from now on, for producers and for questions about topics.

        Where it is another than before, the running producer is replaced: it delivers until one with the new
        settings has started, what it has in flight gets time to be acknowledged, and the rest goes to the new
        one, in order. With `EpochPolicy.COMMITTED` it delivers until its epoch ends, and the new one is
        started once it is gone. Topics that are known keep their batch size and compression.
        """
        if kafka == self._kafka:
            return
        self._kafka = kafka
        self._producers.reconfigure(kafka)

    def topic(self, name: str, *, awaited: bool = False) -> Topic:
        """
        Return topic ``name``, which is looked for from now on; wait for its ``ready``.

        ``awaited``: a socket opens once it is ready. Sockets are billed, so the right to write comes first.
        """
        topic = self._topics.get(name)
        if topic is None and not awaited and self._of_rows >= self._settings.topics_max:
            return self._surplus(name)
        if topic is None:
            topic = Topic(
                name,
                max_batch_bytes=self._kafka.max_batch_bytes,
                compressed=self._kafka.compression is not None,
                linger=self._settings.linger,
                epochs=self._epochs,
                pauses=self._pauses,
            )
            self._topics[name] = topic
            self._finder.want(topic)
        topic.is_awaited = topic.is_awaited or awaited
        return topic

    @property
    def _of_rows(self) -> int:
        """Topics that rows named; those that cannot exist count, too, so that their number is bounded."""
        return sum(not topic.is_awaited for topic in self._topics.values())

    def _surplus(self, name: str) -> Topic:
        """Return what takes rows of one topic too many: it gives them up, and is kept nowhere."""
        topic = Topic(name, max_batch_bytes=self._kafka.max_batch_bytes, compressed=False)
        topic.refusal = too_many(name, self._settings.topics_max)
        topic.ready.set()
        return topic

    def forget(self, name: str) -> None:
        """Look no more for topic ``name`` where it was not found; nobody may be waiting for it."""
        topic = self._topics.get(name)
        if topic is not None and not topic.ready.is_set():
            del self._topics[name]
            self._finder.forget(topic)

    def add(
        self, rows: Mapping[str, Sequence[SourceRecord]], submission: DeliveryCallback, now_ms: int
    ) -> int:
        """
        Queue the rows of one frame, by topic; each topic must be ready. Never waits.

        Return how many event times had to be replaced since the last call that named the topic.
        """
        if self._epochs is not None and not self._epochs.join(rows, submission, now_ms):
            return 0
        replaced = 0
        for name, of_topic in rows.items():
            topic = self._topics.get(name) or self._surplus(name)
            topic.add(of_topic, submission, now_ms)
            topic.wake()
            replaced += topic.limits.times_replaced
            topic.limits.times_replaced = 0
        if self._epochs is not None:
            self._epochs.progressed()
        return replaced

    @property
    def held(self) -> int:
        """Rows that the brokers have not acknowledged."""
        waiting = self._epochs.waiting if self._epochs is not None else 0
        return waiting + sum(topic.held for topic in self._topics.values())

    @property
    def epochs(self) -> Epochs | None:
        """What `EpochPolicy.COMMITTED` needs; ``None`` with the other policy."""
        return self._epochs

    def pause(self) -> None:
        """Send nothing until `resume`. What is in flight may be acknowledged, rows may be added."""
        self._producers.pause()

    def resume(self) -> None:
        """Send what is there."""
        self._producers.resume()

    async def idle(self) -> None:
        """Return once nothing is in flight. Without `pause` the next batch may be on its way by then."""
        await nothing_in_flight(self._senders)

    async def run(self) -> NoReturn:
        """Keep a producer until cancelled; an outage of Kafka never ends this."""
        await self._producers.run()

    def _senders(self) -> list[PartitionSender]:
        return [sender for topic in self._topics.values() for sender in topic.senders]
