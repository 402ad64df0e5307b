"""
One subscription, followed for ever.

``token → connecting → initialising → subscribing → live → (reopening | shedding | waiting) → …``, until
it is stopped, or fails for a record that cannot be published.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import anyio
import anyio.lowlevel
import structlog

from connector.auth import Keeper, Token
from connector.errors import DataError
from connector.publish import DeadLetters, Ledger, Receipt
from connector.subscription import (
    Budget,
    Inbox,
    ProtocolViolation,
    ServerCompleted,
    SessionError,
    SessionSettings,
    Target,
)
from connector.task.coverage import Coverage
from connector.task.destination import Destination, until_ready
from connector.task.overload import Overload
from connector.task.pace import Pace
from connector.task.pump import Pump
from connector.task.quiet import watch_data
from connector.task.receiver import Arrival, Receiver
from connector.task.remedy import HEALTHY_AFTER, SUBPROTOCOL_REFUSED, Course, Remedy
from connector.task.session import Session, SessionEnd
from connector.task.settings import FollowSettings
from connector.task.status import Face, State, SubscriptionObserver, SubscriptionStatus
from connector.task.verdicts import Verdicts

log = structlog.get_logger(__name__)
T = TypeVar("T")

CLOSING_STATES = {"reopen": State.REOPENING, "shed": State.SHEDDING}

RELOADED = "reload"
"""The cause, and the reason in metrics, where the configuration of the subscription changed."""


class Follower:
    """
    Run it once with `run`; `stop` ends it in good order.

    ``disconnected`` is set once its last session is over; what it received may still be on its way to Kafka.
    ``dead_letters`` of ``None``: bad records are not kept. ``pace`` is shared by the worker's subscriptions.
    ``hide`` takes secrets out of a frame that no rows can be read from.
    """

    def __init__(
        self,
        settings: FollowSettings,
        *,
        keeper: Keeper | None,
        publisher: Destination,
        budget: Budget,
        observer: SubscriptionObserver,
        dead_letters: DeadLetters | None = None,
        pace: Pace | None = None,
        hide: Callable[[bytes], bytes] = bytes,
    ) -> None:
        self._settings = settings
        self._keeper = keeper
        self._publisher = publisher
        self._budget = budget
        self._observer = observer
        self._face = Face(observer)
        self._coverage = Coverage(settings.name, observer, streams=settings.streams)
        self._remedy = Remedy(settings.name, refusals=settings.refusals, alarm=observer.refused)
        self._overload = Overload(settings.name, to_kafka=settings.to_kafka)
        self._pace = pace or Pace()
        self._inbox: Inbox[Arrival] = Inbox()
        self._holding = budget.open(self._shed)
        self._session: Session | None = None
        self._token: Token | None = None
        self._ended_at = -math.inf
        self._offers = settings.session
        self._waiting: anyio.CancelScope | None = None
        self._pause: anyio.CancelScope | None = None
        self._stopping = anyio.Event()
        self._is_replaced = False
        self.disconnected = anyio.Event()
        self._failure: DataError | None = None
        self._keeps_foreign = settings.tolerance.bad and dead_letters is not None
        self._verdicts = Verdicts(
            name=settings.name,
            tolerance=settings.tolerance,
            dead_letters=dead_letters,
            holding=self._holding,
            face=self._face,
            observer=observer,
            fail=self._fail,
        )
        self._ledger = Ledger(self._settled, self._verdicts.bad)
        self._pump = Pump(
            inbox=self._inbox,
            records=settings.records,
            publisher=publisher,
            ledger=self._ledger,
            holding=self._holding,
            observer=observer,
            headers=settings.headers,
            window=budget.limit // 4,
        )
        self._receiver = Receiver(
            name=settings.name,
            rows=settings.rows,
            inbox=self._inbox,
            holding=self._holding,
            face=self._face,
            observer=observer,
            rows_limit=settings.rows_limit,
            tolerates=settings.tolerance.bad,
            hide=hide,
            refusals=settings.refusals,
            clean=self._clean,
        )
        self.receive = self._receiver.receive  # of `SessionEvents`; called for every frame

    @property
    def name(self) -> str:
        """The subscription's name."""
        return self._settings.name

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that are waited for before a session is opened."""
        return self._settings.topics

    @property
    def status(self) -> SubscriptionStatus:
        """How it stands."""
        return self._face.status

    @property
    def undelivered(self) -> int:
        """Frames that were received and are not through."""
        return len(self._inbox) + len(self._ledger)

    def tick(self) -> None:
        """Bring counters of time up to now."""
        self._coverage.tick()

    def stop(self) -> None:
        """Close the session on purpose; `run` returns once what was received is through."""
        self._stopping.set()
        self._interrupt("stop")

    def replace(self, old: Follower) -> None:
        """Stop ``old``, the subscription as it was configured before; `run` goes on where it left off."""
        old._is_replaced = True
        old._face.mute()
        old._stopping.set()
        old._interrupt(RELOADED)
        self._face.enter(State.REOPENING)

    def retarget(self, target: Target, session: SessionSettings) -> None:
        """Open the next session with these; one that is waited for after a failure is tried at once."""
        self._settings = replace(self._settings, target=target, session=session)
        self._offers = replace(session, subprotocols=self._offers.subprotocols)
        if self._pause is not None:
            self._remedy.succeeded()
            self._pause.cancel()

    def _interrupt(self, cause: str) -> None:
        if self._session is not None:
            self._session.finish(cause)
        if self._waiting is not None:
            self._waiting.cancel()

    async def run(self, *, after: Follower | None = None) -> None:
        """
        Follow until stopped. Cancelling drops what was not published.

        ``after`` bears the same name, and was removed or replaced: no session is opened beside its last one.
        """
        if after is not None:
            await self._go_on(after)
        async with anyio.create_task_group() as group:
            group.start_soon(self._pump.run)
            group.start_soon(watch_data, self.name, self._settings.no_data_alarm, self._face, self._observer)
            await self._follow()
            if self._keeper is not None:
                self._keeper.forget(self.name)
            self._disconnect()
            self._leave() if self._stopping.is_set() else self._coverage.lost("failed")
            await self._until_through()
            self._verdicts.close()
            if not self._stopping.is_set():
                self._face.enter(State.FAILED)
                await self._stopping.wait()
            self._leave()
            group.cancel_scope.cancel()

    async def _go_on(self, old: Follower) -> None:
        await old.disconnected.wait()
        self._ended_at = old._ended_at
        if old._is_replaced:
            self._observer.reconnect(RELOADED)
            self._coverage.take_over(old._coverage)

    def _disconnect(self) -> None:
        """No session is open, and none will be."""
        self._inbox.close()
        # It cannot shed any more, and whoever stays told keeps the others from being told.
        self._holding.close()
        self.disconnected.set()

    def _leave(self) -> None:
        self._face.enter(State.STOPPED)
        if self._is_replaced:
            self._coverage.lost(RELOADED)
        else:
            self._coverage.ended()

    async def _until_through(self) -> None:
        while self.undelivered:
            await self._ledger.below(1)
            await anyio.lowlevel.checkpoint()

    async def _follow(self) -> None:
        await self._unless_stopped(until_ready(self._publisher, self._settings.topics, self._face))
        while not self._is_over:
            if self._holding.is_told:
                await self._unless_stopped(self._recover())
                continue
            if (pause := self._ended_at + self._settings.reopen_pause - time.monotonic()) > 0:
                await self._unless_stopped(anyio.sleep(pause))
                continue
            await self._unless_stopped(self._pace.turn())
            if self._keeper is not None and not self._is_over:
                self._face.enter(State.TOKEN)
                self._token = await self._unless_stopped(self._keeper.token(by=self.name))
            if self._is_over or self._holding.is_told:
                # While its turn, or the token, was waited for; a session now could not be told again.
                continue
            end = await self._one_session()
            if not self._is_over:
                await self._between(end)

    @property
    def _is_over(self) -> bool:
        return self._stopping.is_set() or self._failure is not None

    async def _unless_stopped(self, wait: Awaitable[T]) -> T | None:
        """Return what ``wait`` gives; ``None`` where `stop` came first."""
        with anyio.CancelScope() as self._waiting:
            if self._is_over:
                self._waiting.cancel()
            return await wait
        return None

    async def _one_session(self) -> SessionEnd:
        settings = self._settings
        self._session = Session(
            target=settings.target,
            settings=self._offers,
            patience=settings.patience,
            payload_type=settings.rows.payload_type,
            budget=self._budget,
            holding=self._holding,
            events=self,
            reopens=settings.reopens,
        )
        try:
            end = await self._session.run(settings.request, self._token, self._keeper)
        finally:
            self._session = None
        if end.subscribed:
            self._ended_at = time.monotonic()
        return end

    async def _between(self, end: SessionEnd) -> None:
        """What lies between two sessions."""
        if end.is_proven and (end.delivered or end.live_for > HEALTHY_AFTER):
            self._remedy.succeeded()
        if end.error is None:
            self._observer.reconnect(end.cause or "stop")
            self._coverage.lost(end.cause or "stop")
            self._face.enter(CLOSING_STATES.get(end.cause or "", State.REOPENING))
            return
        error = self._meant_by(end.error, delivered=end.delivered)
        course = self._remedy.after(error, self._token, self._keeper)
        reason = course.verdict.reason
        self._observer.reconnect(reason)
        self._face.last_error = str(error)
        self._coverage.lost(reason, since=end.last_heard_at if end.live_for and reason == "silent" else None)
        self._face.enter(State.WAITING)
        if reason == SUBPROTOCOL_REFUSED and not end.delivered and self._offer_otherwise():
            return
        await self._unless_stopped(self._rest(course))

    async def _rest(self, course: Course) -> None:
        try:
            with anyio.CancelScope() as self._pause:
                await self._remedy.rest(course, self._token, self._keeper)
        finally:
            self._pause = None

    def _meant_by(self, error: SessionError, *, delivered: bool) -> SessionError:
        """Return the refusal where the server gave only that for a result, and completed."""
        said, self._receiver.request_error = self._receiver.request_error, None
        return said if said and isinstance(error, ServerCompleted) and not delivered else error

    def _offer_otherwise(self) -> bool:
        """
        Put another subprotocol first the next time; return whether that order was not tried yet.

        Some servers select whatever is offered first, and close when they do not speak it.
        """
        order = self._offers.subprotocols
        self._offers = replace(self._offers, subprotocols=(*order[1:], order[0]))
        return self._offers.subprotocols != self._settings.session.subprotocols

    def _clean(self, text: str) -> str:
        return self._session.clean(text) if self._session is not None else text

    # What the session tells (SessionEvents)

    def entered(self, state: State) -> None:
        """See `SessionEvents`."""
        self._face.enter(state)

    def live(self, since: float) -> None:
        """See `SessionEvents`."""
        self._face.enter(State.LIVE)
        self._observer.session_opened()
        self._coverage.live(since)
        generation = self._token.generation if self._token else None
        log.info("subscription is live", subscription=self.name, token_generation=generation)

    def closing(self, cause: str) -> None:
        """See `SessionEvents`."""
        if cause in CLOSING_STATES:
            self._face.enter(CLOSING_STATES[cause])

    def violated(self, error: ProtocolViolation) -> None:
        """See `SessionEvents`."""
        if self._keeps_foreign and error.frame is not None:
            self._receiver.keep_foreign(error.frame, error)

    def accepted(self) -> None:
        """See `SessionEvents`."""
        if self._keeper is not None and self._token is not None:
            self._keeper.accept(self._token.generation, by=self.name)

    def proven(self) -> None:
        """See `SessionEvents`."""
        if self._failure is None:
            self._face.last_error = None
        self._remedy.relieved()
        self.accepted()

    def closed(self, cause: str) -> None:
        """See `SessionEvents`."""
        self._coverage.lost(cause)

    # Memory runs short, or a record is poisoned

    def _shed(self) -> None:
        if self._is_over:
            return  # its session is being closed as it is
        self._observer.shed()
        self._overload.shed(held=self._holding.held, bound=self._budget.limit)
        if self._session is not None:
            self._session.finish("shed")

    async def _recover(self) -> None:
        """Let Kafka catch up before the next session."""
        self._face.enter(State.SHEDDING)
        await self._until_through()
        await self._budget.roomy()
        await anyio.sleep(self._overload.pause())
        self._holding.settled()

    def _settled(self, receipts: Sequence[Receipt]) -> None:
        self._pump.settled(receipts)
        self._verdicts.settled(receipts[-1])

    def _fail(self, error: DataError) -> None:
        """Stop for good; what was received is still seen to."""
        self._failure = error
        self._face.last_error = str(error)
        self._interrupt("failed")
