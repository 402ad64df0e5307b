"""Finding, or creating, the topics that are to be written to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

import anyio
import structlog

from connector.backoff import Backoff
from connector.errors import ConnectorError
from connector.kafka import KafkaSettings, NewTopics, Producer, TopicLimits, create_topics, topic_limits
from connector.publish.topic import Topic

log = structlog.get_logger(__name__)

REFRESH = 30.0
"""Seconds between looks at how many partitions the topics have."""

LOOKUP = 5.0
"""Seconds that one topic's metadata may take."""


class TopicKeeper:
    """Makes topics ready; ``create`` of ``None`` means that they must exist, without any admin call."""

    def __init__(self, kafka: KafkaSettings, create: NewTopics | None) -> None:
        self._kafka = kafka
        self._create = create
        self._wanted: list[Topic] = []
        self._ready: list[Topic] = []
        self._wake = anyio.Event()

    def want(self, topic: Topic) -> None:
        """Look for ``topic`` from now on."""
        self._wanted.append(topic)
        self._wake.set()

    async def run(
        self, producer: Producer, found: Callable[[Topic, int], None], heard: Callable[[], None]
    ) -> NoReturn:
        """
        Look for topics until cancelled: at once for new ones, with backoff for missing ones.

        ``found`` is called with a topic and its number of partitions, again when there are more;
        ``heard`` whenever the brokers answered.
        """
        backoff = Backoff(first=1.0, cap=15.0)
        while True:
            self._wake = anyio.Event()
            if self._wanted and await self._look(producer, found, heard):
                backoff.reset()
            delay = backoff.next(at_least=0.5) if self._wanted else REFRESH
            with anyio.move_on_after(delay):
                await self._wake.wait()
            for topic in self._ready:
                known = producer.known_partitions(topic.name)
                if known is not None:
                    found(topic, known)

    async def _look(
        self, producer: Producer, found: Callable[[Topic, int], None], heard: Callable[[], None]
    ) -> bool:
        """Try every wanted topic once; return whether none is left."""
        topics = list(self._wanted)
        try:
            limits = await self._prepare(topics) if self._create is not None else {}
        except ConnectorError as error:
            for topic in topics:
                self._complain(topic, error)
            return False
        if self._create is not None:
            heard()
        for topic in topics:
            if self._create is not None and topic.name not in limits:
                continue
            try:
                partitions = await producer.partitions(topic.name, timeout=LOOKUP)
            except ConnectorError as error:
                self._complain(topic, error)
                continue
            heard()
            topic.learn(limits.get(topic.name, TopicLimits()))
            found(topic, partitions)
            self._wanted.remove(topic)
            self._ready.append(topic)
            topic.error = None
            topic.ready.set()
            log.info("topic is ready", topic=topic.name, partitions=partitions)
        return not self._wanted

    async def _prepare(self, topics: Sequence[Topic]) -> dict[str, TopicLimits]:
        """Create what is missing; return the limits of those that exist now."""
        assert self._create is not None
        names = [topic.name for topic in topics]
        failed = await create_topics(self._kafka, names, self._create)
        for topic in topics:
            if topic.name in failed:
                self._complain(topic, failed[topic.name])
        there = [name for name in names if name not in failed]
        described = await topic_limits(self._kafka, there) if there else {}
        return {name: described.get(name, TopicLimits()) for name in there}

    @staticmethod
    def _complain(topic: Topic, error: ConnectorError) -> None:
        said = str(error)
        if topic.error != said:
            log.warning("topic is not ready", topic=topic.name, error=said)
        topic.error = said
