"""One producer's life: from its start until it breaks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import NoReturn

import anyio
import structlog
from anyio.abc import TaskGroup

from connector.errors import ConnectorError
from connector.kafka import ContentRefused, NotAllowed, ProducerBroken, TopicMissing
from connector.publish.brokers import Brokers, Writer
from connector.publish.partition_sender import PartitionSender
from connector.publish.pauses import Pauses
from connector.publish.relief import Relief
from connector.publish.request_scheduler import RequestScheduler
from connector.publish.settings import Observer, PublishSettings
from connector.publish.state import KafkaState
from connector.publish.topic import Topic
from connector.publish.topic_finder import LOST_AFTER, TopicFinder

log = structlog.get_logger(__name__)

EXPLAIN_EVERY = 15.0
"""Seconds between looks at why brokers do not answer."""

LASTING = 2
"""Refusals in a row after which one is told: what passes by itself mostly does with the next producer."""

LOOK = 1.0
LOOK_SOON = 0.2
"""Seconds between looks at what brokers owe, while all is well, and while it is not."""

LOST_SOON = 1.0
"""Seconds without an answer after which it is asked whether brokers have moved, where the program stops."""

FOLLOW_EVERY = 3.0
"""Seconds between looks at whether brokers that do not answer are elsewhere."""

CALM = 5.0
"""Seconds without a quota's demand after which rows are not throttled any more."""

RENEW_EVERY = 10.0
"""Seconds between looks at the files with certificates."""


class Delivery:
    """Runs the senders of ``topics``, which may grow, with ``producer``. Use `run`, once."""

    def __init__(
        self,
        producer: Writer,
        topics: Mapping[str, Topic],
        finder: TopicFinder,
        settings: PublishSettings,
        observer: Observer,
        state: KafkaState,
        brokers: Brokers,
        pauses: Pauses,
    ) -> None:
        self._producer = producer
        self._topics = topics
        self._finder = finder
        self._settings = settings
        self._observer = observer
        self._state = state
        self._brokers = brokers
        self._pauses = pauses
        self._scheduler = RequestScheduler()
        self._broken = anyio.Event()
        self._failure = ConnectorError("the producer works")
        self._relief = Relief()
        self._excused_until = -math.inf
        self._shrunk: dict[Topic, int] = {}
        self.is_ended = False

    async def run(self) -> ConnectorError:
        """Deliver until the producer breaks, and return why; what is in flight then gets time."""
        async with anyio.create_task_group() as group:
            self._group: TaskGroup = group
            group.start_soon(
                self._finder.run, self._producer, self._open_senders, self._state.heard, self._lost
            )
            group.start_soon(self._watch)
            group.start_soon(self._renew)
            group.start_soon(self._follow)
            for topic in self._topics.values():
                for sender in topic.senders:
                    group.start_soon(self._run_sender, topic, sender)
            await self._broken.wait()
            await self._quiesce()
            group.cancel_scope.cancel()
        for topic, partitions in self._shrunk.items():
            topic.fold(partitions)
        for topic in self._topics.values():
            topic.give_up_all()
        return self._failure

    def end(self, reason: str) -> None:
        """
        Make `run` return as if the producer had broken: nothing more is sent with it.

        ``is_ended`` says afterwards whether it was that, or the producer had broken before.
        """
        if not self._broken.is_set():
            self.is_ended = True
            self._break(ConnectorError(reason))

    def pause(self) -> None:
        """Send nothing more until `resume`; what is in flight may be acknowledged."""
        self._scheduler.paused = True

    def resume(self) -> None:
        """Send what is there."""
        self._scheduler.paused = False
        for topic in self._topics.values():
            topic.wake()

    def _senders(self) -> list[PartitionSender]:
        return [sender for topic in self._topics.values() for sender in topic.senders]

    async def _run_sender(self, topic: Topic, sender: PartitionSender) -> None:
        failure = await sender.run(self._producer, self._scheduler)
        while isinstance(failure, TopicMissing):
            self._finder.want(topic)
            failure = await sender.run(self._producer, self._scheduler)
        if isinstance(failure, ProducerBroken | NotAllowed) and failure.code is not None:
            self._observer.kafka_refused(failure.code)
            self._tell_refusals()
        if isinstance(failure, ContentRefused):
            self._observer.batch_refused(failure.reason)
            if failure.reason == "topic":  # whatever the row
                said = f"topic {topic.name} takes no rows: {failure}"
                self._finder.refuse(topic, ContentRefused("topic", said))
        elif not isinstance(failure, ProducerBroken):
            log.warning(
                "kafka refused a batch", topic=topic.name, partition=sender.partition, error=str(failure)
            )
        self._break(failure)

    def _tell_refusals(self) -> None:
        """Say which refusal lasts: one that came again, and was followed by no acknowledgement."""
        lasting = [sender.refusal for sender in self._senders() if sender.refusals >= LASTING]
        self._state.refused(str(lasting[0]) if lasting else None)

    def _lost(self, failure: ConnectorError) -> None:
        """Give the producer up that hears of no broker any more; where rows wait, `_follow` sees to it."""
        if not self._producer.throttled_for and all(
            sender.waiting_since is None for sender in self._senders()
        ):
            self._break(failure)

    def _break(self, failure: ConnectorError) -> None:
        if not self._broken.is_set():
            self._failure = failure
            self._scheduler.closed = True
            self._broken.set()

    async def _quiesce(self) -> None:
        """Wait for answers to other senders' batches, so that the next producer does not send them twice."""
        with anyio.move_on_after(self._settings.quiesce):
            await nothing_in_flight(self._senders)

    def _open_senders(self, topic: Topic, partitions: int) -> None:
        """Add the senders of new partitions."""
        if partitions < len(topic.senders):
            self._shrunk[topic] = partitions
            self._break(ConnectorError(f"topic {topic.name} has fewer partitions than before"))
        for sender in topic.grow(partitions):
            self._group.start_soon(self._run_sender, topic, sender)

    async def _watch(self) -> NoReturn:
        """Notice brokers that do not acknowledge, and those that do again."""
        while True:
            await anyio.sleep(LOOK if self._state.name == "up" else LOOK_SOON)
            self._tell_refusals()
            self._find_missing()
            throttled_for, now = self._producer.throttled_for, anyio.current_time()
            if throttled_for:
                self._excused_until = now + throttled_for
            senders = self._senders()
            self._relief.look(senders, now)
            in_flight = self._since(sender.waiting_since for sender in senders)
            owed = in_flight
            if not self._scheduler.paused:  # else whoever paused it owes
                owed = self._since(sender.owes_since for sender in senders)
            if throttled_for and any(sender.waiting_since is not None for sender in senders):
                self._state.throttled(throttled_for)
            elif self._state.name == "throttled" and now < self._excused_until + CALM:
                pass  # a quota that is exceeded mostly goes on
            elif now - in_flight > self._settings.give_up_after:
                self._break(ConnectorError(f"no acknowledgement for {now - in_flight:.0f} s"))
            elif now - owed > self._settings.stall_after:
                self._stalled()
            elif self._state.name != "up" and (self._scheduler.paused or not self._state.is_unproven()):
                self._state.recovered()

    def _find_missing(self) -> str | None:
        """Look for topics that are gone, for which the producer would wait for long; say so of one."""
        said: str | None = None
        for topic in filter(None, map(self._topics.get, self._producer.missing_topics)):
            self._finder.want(topic)
            said = said or topic.error or self._finder.missing(topic)
        return said

    def _since(self, moments: Iterable[float | None]) -> float:
        """Return the earliest of ``moments``, or when a quota let rows go on; infinity for none."""
        earliest = min((moment for moment in moments if moment is not None), default=math.inf)
        return max(earliest, self._excused_until)

    def _stalled(self) -> None:
        if self._state.stalled(sum(sender.held for sender in self._senders())):
            self._group.start_soon(self._explain)

    async def _explain(self) -> None:
        """Find out why, for as long as it lasts."""
        while self._state.name == "stalled":
            error = await self._brokers.explain() or self._find_missing() or self._producer.refusal()
            if self._state.name == "stalled" and error != self._state.error:
                self._state.explain(error)
                if error is not None:
                    log.warning("kafka cannot be reached", error=error)
            await anyio.sleep(EXPLAIN_EVERY)

    async def _follow(self) -> NoReturn:
        """
        Give the producer up whose brokers have moved: none that it knows answers, and the configuration leads
        to one that does. In an outage it is kept: it knows which of its rows were written.
        """
        while True:
            await self._pauses.sleep(FOLLOW_EVERY if self._is_unheard else LOOK)
            if self._is_unheard and await self._brokers.are_found():
                await anyio.sleep(LOOK)  # those that are back where they were have time to say so
                if self._is_unheard:
                    self._break(ConnectorError("the brokers have moved"))

    @property
    def _is_unheard(self) -> bool:
        enough = LOST_SOON if self._pauses.are_short else LOST_AFTER
        return self._producer.unheard_for >= enough and not self._producer.throttled_for

    async def _renew(self) -> NoReturn:
        """Take up certificates that were renewed, before a connection needs them."""
        while True:
            await anyio.sleep(RENEW_EVERY)
            await self._producer.renew()


async def nothing_in_flight(senders: Callable[[], Iterable[PartitionSender]]) -> None:
    """Return once none of ``senders`` waits for an answer."""
    while any(sender.waiting_since is not None for sender in senders()):  # noqa: ASYNC110 - it is rarely waited for
        await anyio.sleep(0.005)
