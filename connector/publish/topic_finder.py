"""Finding, or creating, the topics that are to be written to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

import anyio
import structlog

from connector.backoff import Backoff
from connector.errors import ConnectorError
from connector.kafka import NewTopics, NotAllowed, TopicLimits
from connector.publish.brokers import Brokers, Writer
from connector.publish.topic import Topic

log = structlog.get_logger(__name__)

REFRESH = 30.0
"""Seconds between looks at how many partitions the topics have."""

LOOKUP = 5.0
"""Seconds that one topic's metadata may take."""

Found = Callable[[Topic, int], None]
"""Called with a topic and its number of partitions, again whenever that may have changed."""


class TopicFinder:
    """Makes topics ready; ``create`` of ``None`` means that they must exist, without any admin call."""

    def __init__(self, brokers: Brokers, create: NewTopics | None) -> None:
        self._brokers = brokers
        self._create = create
        self._wanted: list[Topic] = []
        self._ready: list[Topic] = []
        self._wake = anyio.Event()

    def want(self, topic: Topic) -> None:
        """Look for ``topic`` from now on; also for one that was found before and is gone."""
        if topic in self._wanted:
            return
        if topic in self._ready:
            self._ready.remove(topic)
        self._wanted.append(topic)
        self._wake.set()

    def forget(self, topic: Topic) -> None:
        """Look for ``topic`` no more."""
        if topic in self._wanted:
            self._wanted.remove(topic)

    async def run(self, producer: Writer, found: Found, heard: Callable[[], None]) -> NoReturn:
        """
        Look for topics until cancelled: at once for new ones, with backoff for missing ones.

        ``heard`` is called whenever the brokers answered.
        """
        backoff = Backoff(first=1.0, cap=15.0)
        while True:
            self._wake = anyio.Event()
            if self._wanted:
                await self._look(producer, found, heard)
            if not self._wanted:
                backoff.reset()
            delay = backoff.next(at_least=0.5) if self._wanted else REFRESH
            with anyio.move_on_after(delay):
                await self._wake.wait()
            for topic in self._ready:
                known = producer.known_partitions(topic.name)
                if known is not None:
                    found(topic, known)

    async def _look(self, producer: Writer, found: Found, heard: Callable[[], None]) -> None:
        """Try every wanted topic once, all at the same time."""
        topics = list(self._wanted)
        limits: Mapping[str, TopicLimits] = {}
        refused: Mapping[str, ConnectorError] = {}
        if self._create is not None:
            try:
                limits, refused = await self._prepare([topic.name for topic in topics], self._create)
            except ConnectorError as error:
                for topic in topics:
                    _complain(topic, error)
                return
            heard()

        async def find(topic: Topic) -> None:
            refusal = refused.get(topic.name)
            try:
                # Who may not create a topic may still write to one that is there.
                if refusal is not None and not isinstance(refusal, NotAllowed):
                    raise refusal
                partitions = await producer.partitions(topic.name, timeout=LOOKUP)
                if topic.is_awaited:
                    await producer.require_write(topic.name, timeout=LOOKUP)
            except ConnectorError as error:
                _complain(topic, error if isinstance(error, NotAllowed) else refusal or error)
                return
            heard()
            if topic not in self._wanted:
                return  # forgotten meanwhile
            topic.limits.learn(limits.get(topic.name, TopicLimits()))
            self._wanted.remove(topic)
            self._ready.append(topic)
            topic.error = None
            found(topic, partitions)
            topic.ready.set()
            log.info("topic is ready", topic=topic.name, partitions=partitions)

        async with anyio.create_task_group() as group:
            for topic in topics:
                group.start_soon(find, topic)

    async def _prepare(
        self, names: Sequence[str], new: NewTopics
    ) -> tuple[Mapping[str, TopicLimits], Mapping[str, ConnectorError]]:
        """Create what is missing; return the limits of what is there, and why others are not."""
        refused = await self._brokers.create_topics(names, new)
        there = [name for name in names if name not in refused]
        return (await self._brokers.topic_limits(there) if there else {}), refused


def _complain(topic: Topic, error: ConnectorError) -> None:
    said = str(error)
    if topic.error != said:
        log.warning("topic is not ready", topic=topic.name, error=said)
    topic.error = said
