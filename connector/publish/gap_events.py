"""
Gaps → the events topic.

Nothing here waits for Kafka, and no row waits for this: events are queued beside the rows, and wait as those
do through any trouble of their topic. So many wait at most; gaps that find no room are told as one, once
there is some, so that what was not received always lies within a gap that is told.
"""

from __future__ import annotations

import time
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import anyio.lowlevel
import structlog

from connector.publish.gap_event import EventKind, EventOrigin, Gap, compose
from connector.publish.merged_gaps import MERGED, MergedGaps
from connector.publish.publisher import Publisher
from connector.publish.size import weight
from connector.publish.submitted_records import Submission, SubmittedRecords
from connector.records.bad import BadRecord
from connector.records.record import SourceRecord

log = structlog.get_logger(__name__)

MOST = 200
"""Events of a subscription that are not acknowledged; beginnings beyond that are merged."""

ROOM = MOST // 2
"""So few have to be left before gaps that were merged are told."""

REFUSED = "refused"


class GapEventObserver(Protocol):
    """Who is told what became of events. Nothing here may raise or block."""

    def gap_event(self, event: str) -> None:
        """The brokers have one."""

    def gap_event_not_written(self, reason: str) -> None:
        """A gap is told as a part of another (``merged``), or its topic refuses an event (``refused``)."""


class GapEvents:
    """One subscription's events, on their way to topic ``name``. They are sent once that is ready."""

    def __init__(
        self,
        publisher: Publisher,
        name: str,
        origin: EventOrigin,
        observer: GapEventObserver,
    ) -> None:
        self._publisher = publisher
        self._name = name
        self._origin = origin
        self._observer = observer
        self._submitted = SubmittedRecords(self._settled, self._refused)
        self._waiting: deque[tuple[EventKind, SourceRecord]] = deque()
        self._merged: MergedGaps | None = None

    @property
    def undelivered(self) -> int:
        """Events that the brokers have not acknowledged; merged gaps are one until they are told."""
        return len(self._waiting) + len(self._submitted) + self._holds_back

    @property
    def _holds_back(self) -> bool:
        return self._merged is not None and not self._merged.is_told

    def opened(self, gap: Gap) -> None:
        """``gap`` has begun."""
        if not self._holds_back and len(self._waiting) + len(self._submitted) < MOST:
            self._add("gap_opened", gap)
            return
        self._observer.gap_event_not_written(MERGED)
        if self._merged is not None:
            self._merged.opened(gap)
            return
        self._merged = MergedGaps(gap, str(uuid.uuid4()))
        log.warning(
            "gaps are merged: the events topic does not keep up",
            subscription=self._origin.subscription,
            topic=self._name,
            events=self.undelivered,
        )

    def unfilled(self, gap: Gap) -> None:
        """``gap`` is over, and was not filled."""
        if self._merged is not None and self._merged.ended(gap):
            self._tell_merged()
        else:
            self._add("gap_unfilled", gap)

    def send(self) -> None:
        """Send what waits, where the topic is ready."""
        if not self._publisher.topic(self._name, awaited=True).ready.is_set():
            return
        while self._waiting:
            kind, record = self._waiting.popleft()
            size = weight(record[0], record[3]) + len(record[1])
            submission = self._submitted.open(rows=1, size=size, received_at=time.monotonic(), values=(kind,))
            self._publisher.add({self._name: [record]}, submission, time.time_ns() // 1_000_000)

    async def drain(self) -> None:
        """Return once the brokers have them all. Cancelling it loses nothing."""
        while self.undelivered:
            await self._publisher.topic(self._name, awaited=True).ready.wait()
            self.send()
            await self._submitted.below(1)
            self._tell_merged()
            await anyio.lowlevel.checkpoint()

    def say_the_rest(self) -> None:
        """Log how many will not be written."""
        if self.undelivered:
            log.error(
                "gap events are lost: kafka has not acknowledged them",
                subscription=self._origin.subscription,
                topic=self._name,
                events=self.undelivered,
                remedy="see the gaps in the log",
            )

    def _add(self, kind: EventKind, gap: Gap) -> None:
        self._waiting.append((kind, compose(kind, gap, self._origin)))
        self.send()

    def _tell_merged(self) -> None:
        merged = self._merged
        if merged is None or (not merged.is_told and len(self._waiting) + len(self._submitted) > ROOM):
            return
        if merged.is_over:
            self._merged = None
        if not merged.is_told:
            merged.is_told = True
            self._add("gap_opened", replace(merged.gap, until_ms=None, rows=None))
        if merged.is_over:
            self._add("gap_unfilled", merged.gap)

    def _settled(self, submissions: Sequence[Submission]) -> None:
        for submission in submissions:
            if not submission.errors:
                self._observer.gap_event(str(submission.values[0]))
        self._tell_merged()

    def _refused(self, record: BadRecord, submission: Submission) -> bool:
        self._observer.gap_event_not_written(REFUSED)
        log.error(
            "gap event is lost: its topic refuses it for its content",
            subscription=self._origin.subscription,
            topic=self._name,
            gap_event=str(submission.values[0]),
            error=str(record.error),
        )
        return False


class EventsTopic:
    """One task's way to the events topic ``name`` of ``connector``. `run` must be running."""

    def __init__(self, publisher: Publisher, name: str, *, connector: str) -> None:
        self.name = name
        self._publisher = publisher
        self._connector = connector
        self._events: dict[str, GapEvents] = {}

    def of(self, subscription: str, observer: GapEventObserver) -> GapEvents:
        """
        Return what takes the events of ``subscription``: the same until it is forgotten, so that they keep
        their order when another goes on in its place.
        """
        events = self._events.get(subscription)
        if events is None:
            origin = EventOrigin(connector=self._connector, subscription=subscription)
            events = self._events[subscription] = GapEvents(self._publisher, self.name, origin, observer)
        return events

    def forget(self, subscription: str) -> None:
        """``subscription`` is no more."""
        self._events.pop(subscription, None)

    def undelivered(self, subscription: str) -> int:
        """Return how many of ``subscription`` the brokers have not acknowledged."""
        events = self._events.get(subscription)
        return 0 if events is None else events.undelivered

    async def drain(self, subscription: str) -> None:
        """Return once the brokers have all of ``subscription``."""
        if (events := self._events.get(subscription)) is not None:
            await events.drain()

    async def drain_all(self) -> None:
        """Return once the brokers have those of all subscriptions."""
        for events in list(self._events.values()):
            await events.drain()

    async def run(self) -> None:
        """Send, once the topic is ready, what came before."""
        await self._publisher.topic(self.name, awaited=True).ready.wait()
        for events in self._events.values():
            events.send()

    def say_the_rest(self) -> None:
        """Log what will not be written."""
        for events in self._events.values():
            events.say_the_rest()
