"""What this room needs of Kafka, and the real thing behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from connector.errors import ConnectorError
from connector.kafka import (
    Batch,
    BrokerUnreachable,
    FileUnusable,
    KafkaSettings,
    NewTopics,
    Producer,
    RequestSize,
    TopicCreation,
    TopicLimits,
    create_topics,
    topic_limits,
)
from connector.kafka.diagnosis import describe_failures, require_broker, survey


class Writer(Protocol):
    """A started producer; `connector.kafka.Producer` says what its methods do."""

    def new_batch(self, max_bytes: int) -> Batch:
        """Return an empty batch of at most ``max_bytes``."""

    def offer(
        self, batch: Batch, topic: str, partition: int, answered: Callable[[ConnectorError | None], None]
    ) -> bool:
        """Take ``batch`` if that can be done at once, and tell ``answered`` what became of it."""

    async def write(self, batch: Batch, topic: str, partition: int) -> None:
        """Return once the brokers acknowledged ``batch``."""

    async def partitions(self, topic: str, *, timeout: float) -> int:
        """Return the number of partitions, asking the brokers where it is not known."""

    async def require_write(self, topic: str, *, timeout: float) -> None:
        """Raise ``NotAllowed`` where the brokers say that we may not write to ``topic``."""

    def known_partitions(self, topic: str) -> int | None:
        """Return the number of partitions as last heard of."""

    def refusal(self) -> str | None:
        """Return what brokers answered last instead of an acknowledgement."""

    @property
    def missing_topics(self) -> set[str]:
        """Topics that brokers know no more, and that batches wait for."""

    @property
    def unheard_for(self) -> float:
        """Seconds for which no broker that it knows has answered; 0 where one did, or none was asked."""

    @property
    def throttled_for(self) -> float:
        """Seconds that a quota makes rows wait; 0 where none does."""

    async def renew(self) -> None:
        """Use certificates whose files have changed."""

    async def stop(self, *, timeout: float) -> None:
        """Let what is queued be acknowledged, and close."""

    async def discard(self) -> None:
        """Close without sending."""


class Brokers(Protocol):
    """Where producers come from, and who is asked about topics."""

    def reconfigure(self, settings: KafkaSettings) -> None:
        """Use ``settings`` for whatever begins from now on."""

    async def start_producer(self) -> Writer:
        """Connect a producer."""

    async def create_topics(self, topics: Sequence[str], new: NewTopics) -> TopicCreation:
        """Create what is missing of ``topics``."""

    async def topic_limits(self, topics: Sequence[str]) -> Mapping[str, TopicLimits]:
        """Return what the brokers say of each topic."""

    async def explain(self) -> str | None:
        """Return why no broker can be used, within seconds; ``None`` where one can."""

    async def are_found(self) -> bool:
        """Return, within seconds, whether the configuration leads to a broker that can be used."""


class Kafka:
    """
    The brokers of ``settings``.

    Whoever starts a producer is told by name what is wrong with the brokers, which the client library keeps
    to itself: they are visited first, unless they were well the last time.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._size = RequestSize(settings.max_request_bytes)
        self._were_well = False

    def reconfigure(self, settings: KafkaSettings) -> None:
        """Use ``settings`` for the next producer and the next question."""
        self._settings = settings
        self._size = RequestSize(settings.max_request_bytes)
        self._were_well = False

    async def start_producer(self) -> Writer:
        """Connect a producer; see `Producer.start`."""
        if not self._were_well:
            await require_broker(self._settings)
        self._were_well = False
        producer = await Producer.start(self._settings, self._size)
        self._were_well = True
        return producer

    async def create_topics(self, topics: Sequence[str], new: NewTopics) -> TopicCreation:
        """See `connector.kafka.create_topics`."""
        return await create_topics(self._settings, topics, new)

    async def topic_limits(self, topics: Sequence[str]) -> Mapping[str, TopicLimits]:
        """See `connector.kafka.topic_limits`."""
        return await topic_limits(self._settings, topics)

    async def explain(self) -> str | None:
        """See `Brokers`."""
        try:
            return describe_failures(await survey(self._settings), were_well=self._were_well) or None
        except FileUnusable as error:
            return str(error)

    async def are_found(self) -> bool:
        """See `Brokers`."""
        try:
            await require_broker(self._settings)
        except BrokerUnreachable:
            return False
        return True
