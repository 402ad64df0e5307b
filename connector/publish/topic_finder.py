"""Finding, or creating, the topics that are to be written to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

import anyio
import structlog

from connector.backoff import Backoff
from connector.errors import ConnectorError, DataError
from connector.kafka import BrokerUnreachable, NewTopics, NotAllowed, TopicLimits, TopicMissing, TopicRefused
from connector.publish.brokers import Brokers, Writer
from connector.publish.pauses import Pauses
from connector.publish.topic import Topic

log = structlog.get_logger(__name__)

REFRESH = 30.0
"""Seconds between looks at how many partitions the topics have."""

LOST_AFTER = 10.0
"""Seconds without an answer to any look after which the producer is given up."""

RECHECK = 300.0
"""Seconds after which a topic is tried again that can never exist."""

LOOKUP = 5.0
"""Seconds that one topic's metadata may take."""

Found = Callable[[Topic, int], None]
"""Called with a topic and its number of partitions, again whenever that may have changed."""


class TopicFinder:
    """Makes topics ready; ``create`` of ``None`` means that they must exist, without any admin call."""

    def __init__(self, brokers: Brokers, create: NewTopics | None, pauses: Pauses | None = None) -> None:
        self._brokers = brokers
        self._create = create
        self._wanted: list[Topic] = []
        self._ready: list[Topic] = []
        self._refused: dict[Topic, float] = {}  # and when it is looked for again
        self._pauses = pauses or Pauses()
        self._unheard_since: float | None = None
        self._lost: Callable[[ConnectorError], None] = lambda error: None
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

    @property
    def troubled(self) -> list[Topic]:
        """Those that are looked for, and not ready for a reason that is known."""
        return [topic for topic in self._wanted if topic.error is not None]

    async def run(
        self,
        producer: Writer,
        found: Found,
        heard: Callable[[], None],
        lost: Callable[[ConnectorError], None],
    ) -> NoReturn:
        """
        Look for topics until cancelled: at once for new ones, with backoff for missing ones.

        ``heard`` is called whenever the brokers answered, and ``lost`` where they have not for a while: they
        may have moved, and the producer knows their old addresses only.
        """
        backoff = Backoff(first=1.0, cap=15.0)
        self._lost = lost
        self._unheard_since = None
        while True:
            self._wake = anyio.Event()
            if self._wanted:
                await self._look(producer, found, heard)
            if not self._wanted:
                backoff.reset()
            delay = backoff.next(at_least=0.5) if self._wanted else REFRESH
            await self._pauses.sleep(delay, woken=self._wake)
            self._recheck()
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
                    self._complain(topic, error)
                self._count_silence(error)
                return
            heard()

        async def find(topic: Topic) -> None:
            refusal = refused.get(topic.name)
            if isinstance(refusal, DataError):
                heard()
                self._set_refused(topic, refusal)
                return
            try:
                # Who may not create a topic may still write to one that is there.
                if refusal is not None and not isinstance(refusal, NotAllowed):
                    raise refusal
                partitions = await producer.partitions(topic.name, timeout=LOOKUP)
                if topic.is_awaited:
                    await producer.require_write(topic.name, timeout=LOOKUP)
            except ConnectorError as error:
                self._complain(topic, error if isinstance(error, NotAllowed) else refusal or error)
                self._count_silence(error)
                return
            heard()
            self._unheard_since = None
            if topic not in self._wanted:
                return  # forgotten meanwhile
            topic.limits.learn(limits.get(topic.name, TopicLimits()))
            self._wanted.remove(topic)
            self._ready.append(topic)
            topic.error = topic.refusal = None
            found(topic, partitions)
            topic.ready.set()
            log.info("topic is ready", topic=topic.name, partitions=partitions)

        async with anyio.create_task_group() as group:
            for topic in topics:
                group.start_soon(find, topic)

    def _count_silence(self, error: ConnectorError) -> None:
        """Take note that a look ended with ``error``."""
        now = anyio.current_time()
        if not isinstance(error, BrokerUnreachable) or isinstance(error, TopicRefused):
            self._unheard_since = None
        elif self._unheard_since is None:
            self._unheard_since = now
        elif now - self._unheard_since >= LOST_AFTER:
            self._lost(error)

    def refuse(self, topic: Topic, refusal: DataError) -> None:
        """The brokers let nobody write to ``topic``, which was found: its rows are bad until they do."""
        if topic in self._ready:
            self._ready.remove(topic)
            self._refused[topic] = anyio.current_time() + RECHECK
            topic.refusal = refusal
            log.error("topic takes no rows", topic=topic.name, error=str(refusal))

    def _set_refused(self, topic: Topic, refusal: DataError) -> None:
        """The topic can never exist. Where a row named it that row is bad; a socket's is waited for."""
        self._complain(topic, refusal)
        if topic.is_awaited or topic not in self._wanted:
            return
        self._wanted.remove(topic)
        self._refused[topic] = anyio.current_time() + RECHECK
        topic.refusal = refusal
        topic.ready.set()

    def _recheck(self) -> None:
        """Look anew for topics that were refused long ago: somebody may have made room."""
        now = anyio.current_time()
        for topic in [topic for topic, due in self._refused.items() if due <= now]:
            del self._refused[topic]
            self._wanted.append(topic)

    async def _prepare(
        self, names: Sequence[str], new: NewTopics
    ) -> tuple[Mapping[str, TopicLimits], Mapping[str, ConnectorError]]:
        """Create what is missing; return the limits of what is there, and why others are not."""
        creation = await self._brokers.create_topics(names, new)
        there = [name for name in names if name not in creation.refused]
        limits = dict(await self._brokers.topic_limits(there)) if there else {}
        for name in creation.created:
            # Who is asked may be a broker that has not heard yet of what another one just created.
            limits[name] = limits.get(name, TopicLimits()).with_config(new.config_of(name))
        return limits, creation.refused

    def _complain(self, topic: Topic, error: ConnectorError) -> None:
        said = str(error)
        if isinstance(error, TopicMissing):
            said = self.missing(topic)
        if topic.error != said:
            log.warning("topic is not ready", topic=topic.name, error=said)
        topic.error = said

    def missing(self, topic: Topic) -> str:
        """Say that ``topic`` is not there, and what is to be done, where anything is."""
        if self._create is None:
            return str(TopicMissing(topic.name))
        return f"topic {topic.name} does not exist yet, or no more: it is created as configured"
