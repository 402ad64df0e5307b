"""From the inbox to Kafka: extracts, waits for topics, keeps the submitted."""

from __future__ import annotations

import time
from collections.abc import Sequence

import anyio
import anyio.lowlevel
import structlog

from connector.publish import Submission, SubmittedRecords
from connector.records.bad import BadRecord
from connector.records.built import BuiltRecords, RefusedRow
from connector.records.record import Headers
from connector.records.seam import Seam
from connector.subscription import Inbox, MemoryShare, turn_for
from connector.task.destination import Destination
from connector.task.observers import FlowObserver
from connector.task.odd_records import OddRecords
from connector.task.parts import parts_of
from connector.task.receiver import MOST_ROWS, Arrival, Receiver
from connector.task.settings import SubscriptionSettings

log = structlog.get_logger(__name__)

HEAVY_ROWS = 512 * 1024
"""Bytes of rows before which others get a turn; in one go there are so many only of one row that is large."""


class Pump:
    """
    One subscription's. At most ``window`` bytes are with the publisher at a time; the rest stays in the
    inbox as it was received. While there is a `hold` nothing is passed on.
    """

    def __init__(
        self,
        settings: SubscriptionSettings,
        *,
        inbox: Inbox[Arrival],
        seam: Seam[Arrival],
        publisher: Destination,
        submitted: SubmittedRecords,
        memory: MemoryShare,
        observer: FlowObserver,
        window: int,
    ) -> None:
        self._records = settings.records
        self._headers = settings.headers
        self._inbox = inbox
        self._seam = seam
        self._publisher = publisher
        self._submitted = submitted
        self._memory = memory
        self._observer = observer
        self._odd = OddRecords(settings.name, observer)
        self._window = window
        self._is_released: anyio.Event | None = None
        self.in_hand = 0
        """What was taken from the inbox and waits for the end of a hold: one arrival, or none."""
        self._taken_at = 0.0

    async def run(self) -> None:
        """Return once the inbox is closed and empty; what is with the publisher is in the submitted."""
        while True:
            await self._below_window()
            # From here to where it is submitted nothing waits: what is in neither counts as delivered.
            arrival = await self._inbox.get()
            if arrival is None:
                return
            self._taken_at = arrival.received_at
            if self._is_released is not None:
                await self._until_released()
            if arrival.error is not None:
                self._give_up(arrival)
                continue
            if arrival.slices is None:
                await self._pass_on(arrival)
            else:
                await self._pass_on_in_parts(arrival)

    @property
    def received_in_hand(self) -> tuple[float, ...]:
        """When what is in hand was received."""
        return (self._taken_at,) if self.in_hand else ()

    async def _pass_on(self, arrival: Arrival) -> None:
        seam = self._seam
        seam.turn(arrival.received_at, arrival.source)
        built = self._records.build(arrival.rows, self._headers_of(arrival), seam.admits)
        if built.refused:
            _leave_out(arrival, built.refused)
        submission = self._open(arrival)
        submission.remembered = seam.pending()
        submission.event_ms = _last_event(built)
        for record in built.failed:
            submission.given_up(record)
        for name in built.topics:
            topic = self._publisher.topic(name)
            if not topic.ready.is_set():
                await topic.ready.wait()
        replaced = self._publisher.add(built.topics, submission, arrival.received_ms)
        if replaced or built.is_odd:
            self._odd.note(built, replaced)

    async def _pass_on_in_parts(self, arrival: Arrival) -> None:
        """Many rows at once would hold everybody else up, and take a multiple of their bytes."""
        self.in_hand = 1
        if arrival.size > HEAVY_ROWS:
            await turn_for(arrival.size)
        for part in parts_of(arrival, self._found, MOST_ROWS):
            if part.size > HEAVY_ROWS:
                await turn_for(part.size)
            if self._is_released is not None:
                await self._until_released()
                self.in_hand = 1
            await self._pass_on(part)
            await self._below_window()
            await anyio.lowlevel.checkpoint()
        self.in_hand = 0

    def _found(self, rows: int, size: int) -> None:
        self._memory.take(size)
        self._observer.rows_found(rows)

    def hold(self) -> None:
        """Pass nothing on from now on."""
        self._is_released = self._is_released or anyio.Event()

    def release(self) -> None:
        """Go on; what was held comes first, in its order."""
        if self._is_released is not None:
            self._is_released.set()
            self._is_released = None

    async def _until_released(self) -> None:
        self.in_hand = 1
        while self._is_released is not None:  # it may be held again before this goes on
            await self._is_released.wait()
        self.in_hand = 0

    async def _below_window(self) -> None:
        if self._submitted.held >= self._window:
            await self._submitted.below(self._window)
            # What was acknowledged makes place for the next request: the sender's task takes two turns.
            await anyio.lowlevel.checkpoint()
            await anyio.lowlevel.checkpoint()

    def _give_up(self, arrival: Arrival) -> None:
        """Account for a frame that no rows can be read from."""
        assert arrival.error is not None
        (frame,) = arrival.rows
        record = BadRecord(
            error=arrival.error,
            stage=arrival.error.stage,
            executing_class=Receiver,
            value=frame,
            headers=self._headers_of(arrival),
        )
        self._open(arrival).given_up(record)

    def _open(self, arrival: Arrival) -> Submission:
        rows = arrival.rows
        return self._submitted.open(
            rows=len(rows),
            size=arrival.size,
            received_at=arrival.received_at,
            values=rows,
            frames=arrival.frames,
        )

    def _headers_of(self, arrival: Arrival) -> Headers:
        return [*self._headers, ("received_at", b"%d" % arrival.received_ms)]

    def settled(self, submissions: Sequence[Submission], now: float) -> None:
        """These are through ``now``, in seconds, and all before them."""
        self._memory.release(sum(submission.size for submission in submissions))
        wall = time.time()
        for submission in submissions:
            submission.remembered.settled()
            done = submission.rows - len(submission.errors)
            self._observer.acknowledged(done, submission.frames, now - submission.received_at)
            if submission.event_ms is not None:
                self._observer.event_lag(wall - submission.event_ms / 1000, submission.frames)


def _leave_out(arrival: Arrival, refused: Sequence[RefusedRow]) -> None:
    """Count no more on rows that were published before."""
    known = {id(row) for row, _ in refused}
    arrival.rows = [row for row in arrival.rows if id(row) not in known]


def _last_event(built: BuiltRecords) -> int | None:
    for rows in built.topics.values():
        if rows:
            return rows[-1][2]
    return None
