"""
One subscription, kept up for ever: its state machine.

``token → connecting → initialising → subscribing → live → (reopening | shedding | waiting) → …``, until
it is stopped, or fails for a record that cannot be published.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import anyio

from connector.auth import Token
from connector.errors import DataError
from connector.subscription import SessionSettings
from connector.task.attempt_end import AttemptEnd
from connector.task.attempt_report import AttemptReport
from connector.task.attempts import AttemptFactory
from connector.task.destination import Destination, until_ready
from connector.task.dialer import Dialer
from connector.task.ending import Ending
from connector.task.error_reporter import DeadLetterQueue
from connector.task.gap_tracker import GapEvents, GapTracker
from connector.task.handover import Handover
from connector.task.observers import SubscriptionObserver
from connector.task.overload import Overload
from connector.task.pipeline import Pipeline
from connector.task.progress import Progress
from connector.task.quiet import watch_data
from connector.task.relay import SessionRelay
from connector.task.retry_policy import SUBPROTOCOL_REFUSED, RetryPolicy
from connector.task.settings import Shared, SubscriptionSettings
from connector.task.source_offset import SourceOffset
from connector.task.state import State
from connector.task.status import StatusTracker, SubscriptionStatus
from connector.task.suspicion_watch import SuspicionWatch
from connector.task.takeover import TakeoverEnd
from connector.task.task_offsets import TaskOffsets
from connector.upstream import Target

RELOADED = "reload"
"""The cause, and the reason in metrics, where the configuration of the subscription changed."""


class SubscriptionRunner:
    """
    Run it once with `run`; `stop` ends it in good order.

    ``disconnected`` is set once its last session is over; what it received may still be on its way to Kafka.
    ``dead_letters`` of ``None``: bad records are not kept; nor are gaps events with ``events`` of ``None``,
    nor offsets kept with ``offsets`` of ``None``. ``seam`` drops rows that were published before.
    """

    def __init__(
        self,
        settings: SubscriptionSettings,
        *,
        shared: Shared,
        publisher: Destination,
        observer: SubscriptionObserver,
        dead_letters: DeadLetterQueue | None = None,
        events: GapEvents | None = None,
        offsets: TaskOffsets | None = None,
    ) -> None:
        self._settings, self._shared = settings, shared
        self._publisher = publisher
        self._observer = observer
        self._status = StatusTracker(observer)
        self._gaps = GapTracker(
            settings.name, observer, streams=settings.streams, events=events, clock=shared.clock
        )
        self._retry = RetryPolicy(
            settings.name, refusals=settings.refusals, keeper=shared.keeper, alarm=observer.refused
        )
        self._ending = Ending()
        self._report = AttemptReport(
            settings.name,
            observer=observer,
            status=self._status,
            gaps=self._gaps,
            retry=self._retry,
            ending=self._ending,
        )
        self._overload = Overload(settings.name, to_kafka=settings.to_kafka)
        self._dialer = Dialer(settings, shared.connection)
        self._pipeline = Pipeline(
            settings,
            shared=shared,
            publisher=publisher,
            status=self._status,
            observer=observer,
            dead_letters=dead_letters,
            events=self,
        )
        self.seam = self._pipeline.seam
        self._relay = SessionRelay(
            settings,
            shared=shared,
            attempts=AttemptFactory(settings, shared=shared, dialer=self._dialer, intake=self._pipeline),
            pipeline=self._pipeline,
            report=self._report,
            retry=self._retry,
        )
        self._suspicion = SuspicionWatch(
            settings,
            shared=shared,
            status=self._status,
            gaps=self._gaps,
            observer=observer,
            relay=self._relay,
        )
        self._offset = SourceOffset(
            settings.name, offsets, self._gaps, self._status, self._pipeline.oldest, self._relay.heard
        )
        self._ended_at = -math.inf
        self.disconnected = anyio.Event()

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
        return self._status.status

    @property
    def undelivered(self) -> int:
        """Frames that were received and are not through."""
        return self._pipeline.undelivered

    def probe(self, told: Callable[[TakeoverEnd | None], None]) -> None:
        """See `SessionRelay.probe`."""
        self._relay.probe(told)

    def tick(self) -> None:
        """Bring counters of time up to now."""
        self._gaps.tick()

    def stop(self) -> None:
        """Close the session on purpose; `run` returns once what was received is through."""
        self._finish("stop")
        self._ending.stop()

    def give_way(self) -> None:
        """The same, because another goes on in its place, which tells of this subscription from now on."""
        self._status.mute()
        self._finish(RELOADED)
        self._ending.stop(is_replaced=True)

    def replace(self, old: SubscriptionRunner) -> None:
        """Stop ``old``, the subscription as it was configured before; `run` goes on where it left off."""
        old.give_way()
        self._status.enter(State.REOPENING)

    async def hand_over(self) -> Handover:
        """Return how things stood when its last session was over; wait for that. To be called once."""
        await self.disconnected.wait()
        is_replaced = self._ending.is_replaced
        gap = self._gaps.hand_over() if is_replaced else None
        learnt = self._offset.is_learnt
        return Handover(ended_at=self._ended_at, is_replaced=is_replaced, gap=gap, learnt=learnt)

    def retarget(self, target: Target, session: SessionSettings) -> None:
        """Open the next session with these; one that is waited for after a failure is tried at once."""
        self._dialer.retarget(target, session)
        if self._ending.end_pause():
            self._retry.succeeded()

    def _finish(self, cause: str) -> None:
        self._relay.finish(cause)

    # Its life

    async def run(self, *, after: SubscriptionRunner | None = None) -> None:
        """
        Keep it up until stopped. Cancelling drops what was not published.

        ``after`` bears the same name, and was removed or replaced: no session is opened beside its last one.
        """
        if after is not None:
            self._go_on(await after.hand_over())
        settings = self._settings
        with self._offset.followed():
            async with anyio.create_task_group() as group:
                group.start_soon(self._offset.learn_late)
                group.start_soon(self._pipeline.run)
                group.start_soon(self._suspicion.run)
                group.start_soon(watch_data, self.name, settings.no_data_alarm, self._status, self._observer)
                await self._keep_up()
                await self._wind_up()
                group.cancel_scope.cancel()

    def _go_on(self, handover: Handover) -> None:
        self._ended_at = handover.ended_at
        if handover.is_replaced:
            self._observer.reconnect(RELOADED)
            self._gaps.take_over(handover.gap)
            self._offset.is_learnt = handover.learnt

    async def _wind_up(self) -> None:
        """No session is open, and none will be."""
        stopping = self._ending.stopping
        if self._shared.keeper is not None:
            self._shared.keeper.forget(self.name)
        self._relay.leave()
        self._pipeline.close()
        self.disconnected.set()
        self._leave() if stopping.is_set() else self._gaps.lost("failed")
        await self._pipeline.drain()
        self._pipeline.say_the_rest()
        if not stopping.is_set():
            self._status.enter(State.FAILED)
            await stopping.wait()
        self._leave()

    def _leave(self) -> None:
        self._status.enter(State.STOPPED)
        if self._ending.is_replaced:
            self._gaps.lost(RELOADED)
        else:
            self._gaps.ended()

    async def _keep_up(self) -> None:
        unless_ending, ending = self._ending.unless_begun, self._ending
        await unless_ending(until_ready(self._publisher, self._settings.topics, self._status))
        await unless_ending(self._offset.learn())
        while not ending.has_begun:
            if self._pipeline.is_short:
                await unless_ending(self._recover())
                continue
            if (pause := self._ended_at + self._settings.reopen_pause - self._shared.clock()) > 0:
                await unless_ending(anyio.sleep(pause))
                continue
            await unless_ending(self._relay.until_room())
            token = None if ending.has_begun else await unless_ending(self._token())
            if ending.has_begun or self._pipeline.is_short:
                # While its turn, or the token, was waited for; a session now could not be told again.
                self._relay.give_up_room()
                continue
            end = await self._sessions(token)
            if not ending.has_begun:
                await self._between(end)

    async def _token(self) -> Token | None:
        if self._shared.keeper is not None:
            self._status.enter(State.TOKEN)
        return await self._shared.token(by=self.name)

    async def _sessions(self, token: Token | None) -> AttemptEnd:
        end = await self._relay.run(token)
        if end.progress >= Progress.SUBSCRIBING:
            self._ended_at = self._shared.clock()
        return end

    async def _between(self, end: AttemptEnd) -> None:
        """What lies between two sessions."""
        decision = self._report.over(end)
        if decision is None:
            return
        is_of_order = decision.verdict.reason == SUBPROTOCOL_REFUSED and not end.delivered
        if is_of_order and self._dialer.offer_otherwise():
            return
        await self._ending.pause(self._retry.rest(decision))

    async def _recover(self) -> None:
        """Let Kafka catch up before the next session."""
        self._status.enter(State.SHEDDING)
        await self._pipeline.until_roomy()
        await anyio.sleep(self._overload.pause())
        self._pipeline.recover()

    # What the pipeline tells (PipelineEvents)

    def memory_is_short(self, *, held: int, bound: int) -> None:
        """See `PipelineEvents`."""
        if self._ending.has_begun:
            return  # its session is being closed as it is
        self._observer.shed()
        self._overload.shed(held=held, bound=bound)
        if self._relay.shed_new():
            return  # of two sessions the new one goes first
        self._finish("shed")

    def failed(self, error: DataError) -> None:
        """See `PipelineEvents`."""
        self._status.last_error = str(error)
        self._offset.freeze()
        self._finish("failed")
        self._ending.fail(error)
