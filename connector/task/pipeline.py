"""
What lives as long as a subscription: from results to acknowledged records, whoever delivers the results.

Sockets come and go, and two may deliver at once; rows go on in the order received.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import anyio.lowlevel

from connector.errors import DataError
from connector.publish import Submission, SubmittedRecords
from connector.records.seam import RowSource, Seam
from connector.subscription import Backpressure, Inbox, ProtocolViolation
from connector.task.destination import Destination
from connector.task.error_reporter import DeadLetterQueue, ErrorReporter
from connector.task.observers import SubscriptionObserver
from connector.task.pump import Pump
from connector.task.receiver import Arrival, Receiver
from connector.task.settings import Shared, SubscriptionSettings
from connector.task.status import StatusTracker

WINDOW_SHARE = 1 / 4
"""Of the budget: so much of a subscription's rows may be with the publisher at a time."""


class PipelineEvents(Protocol):
    """What a pipeline asks of whoever opens the sockets. Nothing here may block."""

    def memory_is_short(self, *, held: int, bound: int) -> None:
        """
        No more should be received: ``held`` of ``bound`` bytes are held here. It is not told again before
        `Pipeline.recover`.
        """

    def failed(self, error: DataError) -> None:
        """The subscription has to stop for ``error``."""


class Pipeline:
    """
    One subscription's: its inbox, receiver, pump, submitted records and error reporter.

    ``dead_letters`` of ``None``: bad records are not kept. `receive` takes a result and the attempt that it
    came by, and never waits (see `Receiver.receive`).
    """

    def __init__(
        self,
        settings: SubscriptionSettings,
        *,
        shared: Shared,
        publisher: Destination,
        status: StatusTracker,
        observer: SubscriptionObserver,
        dead_letters: DeadLetterQueue | None,
        events: PipelineEvents,
    ) -> None:
        self._events = events
        self._clock = shared.clock
        self._budget = shared.budget
        self._keeps_foreign = settings.tolerance.bad and dead_letters is not None
        self._memory = memory = self._budget.open(self._memory_is_short)
        self._inbox: Inbox[Arrival] = Inbox()
        self.seam: Seam[Arrival] = Seam(settings.seam)
        self._errors = ErrorReporter(
            name=settings.name,
            tolerance=settings.tolerance,
            dead_letters=dead_letters,
            memory=memory,
            status=status,
            observer=observer,
            fail=events.failed,
        )
        self._submitted = SubmittedRecords(self._settled, self._errors.bad, memory.release)
        self._pump = Pump(
            settings,
            inbox=self._inbox,
            seam=self.seam,
            publisher=publisher,
            submitted=self._submitted,
            memory=memory,
            observer=observer,
            window=int(self._budget.limit * WINDOW_SHARE),
        )
        self._receiver = Receiver(
            settings,
            inbox=self._inbox,
            seam=self.seam,
            memory=memory,
            status=status,
            observer=observer,
            hide=shared.hide,
            clock=shared.clock,
        )
        # Called for every frame.
        self.receive = self._receiver.receive
        self.open_source = self.seam.open_source
        self.wait_for_room = self._budget.wait_for_room

    def last_row_at(self) -> float | None:
        """When the last row came, by the clock; ``None``: none did."""
        return self._receiver.last_row_at

    @property
    def undelivered(self) -> int:
        """Frames that were received and are not through."""
        return len(self._inbox) + self._pump.in_hand + len(self._submitted)

    def oldest(self) -> float | None:
        """
        Return when the first of what is not through was received, in seconds of `time.monotonic`; ``None``
        where all is. Looks at everything that is held.
        """
        return min(
            (
                *(arrival.received_at for arrival in self._inbox),
                *self._pump.received_in_hand,
                *self._submitted.received,
                *(() if self.seam.held_since is None else (self.seam.held_since,)),
            ),
            default=None,
        )

    async def run(self) -> None:
        """Pass on what is received; return once closed, with all of it handed to the publisher."""
        await self._pump.run()

    # For attempts (Intake)

    def violated(self, error: ProtocolViolation) -> None:
        """A peer sent what is no message of the subprotocol: keep that where bad records are kept."""
        if self._keeps_foreign and error.frame is not None:
            self._receiver.keep_foreign(error.frame, error)

    def backpressure(self) -> Backpressure:
        """Return what slows one reader down before it has to shed."""
        return Backpressure(self._memory)

    def close_source(self, source: RowSource) -> None:
        """See `Intake`."""
        self.go_on(self.seam.close_source(source, self._clock()))

    # For whoever opens them

    def go_on(self, released: Iterable[Arrival]) -> None:
        """Pass on what the seam held, and ``released``."""
        for arrival in released:
            self._inbox.put(arrival)

    def hold(self) -> None:
        """
        Pass nothing on to Kafka, while receiving goes on.

        What is held counts as memory: where it becomes too much, `PipelineEvents.memory_is_short` is told.
        """
        self._pump.hold()

    def release(self) -> None:
        """End a `hold`: what was held is passed on first, in the order received."""
        self._pump.release()

    async def drain(self) -> None:
        """Return once what was received is through. Ends a `hold`. Cancelling it loses nothing."""
        while self.undelivered:
            self._pump.release()
            await self._submitted.below(1)
            await anyio.lowlevel.checkpoint()

    @property
    def is_short(self) -> bool:
        """Whether it was told that memory is short, and has not recovered since."""
        return self._memory.is_shedding

    async def until_roomy(self) -> None:
        """Return once what was received is through, and all hold so little that receiving may begin again."""
        await self.drain()
        await self._budget.wait_until_uncrowded()

    def recover(self) -> None:
        """Receiving begins again: it may be told that memory is short."""
        self._memory.resumed()

    def close(self) -> None:
        """Nothing more will be received; what was is still passed on."""
        self._inbox.close()
        # It cannot shed any more, and whoever stays told keeps the others from being told.
        self._memory.close()

    def say_the_rest(self) -> None:
        """Log what was only counted of bad records."""
        self._errors.close()

    # For its parts

    def _memory_is_short(self) -> None:
        self._events.memory_is_short(held=self._memory.held, bound=self._budget.limit)

    def _settled(self, submissions: Sequence[Submission]) -> None:
        self._pump.settled(submissions, self._clock())
        self._errors.settled(submissions[-1])
