"""
The sessions of one subscription, one after the other without a gap between them.

There is one; and two while one takes over from the other, before the old one's token ends.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import anyio
from anyio.abc import TaskGroup

from connector.auth import Token
from connector.refusals import Action
from connector.task.attempt import Attempt, AttemptEvents
from connector.task.attempt_end import AttemptEnd
from connector.task.attempt_report import AttemptReport
from connector.task.attempts import AttemptFactory
from connector.task.permit import Permit
from connector.task.pipeline import Pipeline
from connector.task.progress import Progress
from connector.task.retry_policy import RetryPolicy
from connector.task.running_attempt import RunningAttempt
from connector.task.second_sessions import SecondSessions
from connector.task.settings import Shared, SubscriptionSettings
from connector.task.takeover import Outcome, Takeover, TakeoverEnd
from connector.task.token_keeper import TokenKeeper
from connector.task.waits import unless_set
from connector.task.watchers import until_due_for_renewal

LOOK_FOR_JOIN = 0.2
"""Seconds between two looks at whether a join is over."""

QUIET_AFTER = 60.0
"""Seconds without a row after which none is expected soon."""

AFTER_SHED = 10.0
"""Seconds before another session is opened beside one, where memory was short for two."""

SILENT_SESSION = "silent_session"
"""The reason of a gap in which a session was open, and brought nothing although there were rows."""


class SessionRelay:
    """
    One subscription's. `run` it once for each session that is opened where there is none.
    """

    def __init__(
        self,
        settings: SubscriptionSettings,
        *,
        shared: Shared,
        attempts: AttemptFactory,
        pipeline: Pipeline,
        report: AttemptReport,
        retry: RetryPolicy,
    ) -> None:
        self._settings = settings
        self._shared = shared
        self._rotator = shared.rotations.join(streams=settings.streams)
        self._attempts = attempts
        self._pipeline = pipeline
        self.last_row_at = pipeline.last_row_at
        self._report = report
        self._retry = retry
        self._group: TaskGroup | None = None
        self._running: list[RunningAttempt] = []
        self._new: RunningAttempt | None = None
        self._covering: RunningAttempt | None = None
        self._second_sessions = SecondSessions(settings.name)
        self._is_doubted = anyio.Event()
        self._doubter: Callable[[TakeoverEnd | None], None] = lambda end: None

    def finish(self, cause: str) -> None:
        """Close on purpose whatever is open."""
        for one in self._running:
            one.finish(cause)

    def shed_new(self) -> bool:
        """Close a session that is to take over; return whether there was one."""
        if self._new is None or self._new.over.is_set() or self._new.is_ending:
            return False
        self._new.finish("shed")
        return True

    def probe(self, told: Callable[[TakeoverEnd | None], None]) -> None:
        """
        Find out by another session whether the present one, which is doubted, still delivers: where it does
        not, the other one takes over. ``told`` is called with what came of it; ``None``: there was no room
        for another one, or, without an `attempt`, the present one ended.
        """
        self._doubter = told
        self._is_doubted.set()

    def _tell_doubter(self, end: TakeoverEnd | None) -> None:
        self._is_doubted = anyio.Event()
        self._doubter(end)

    @property
    def attempt(self) -> Attempt | None:
        """The one that covers the subscription, or is to; ``None``: there is none."""
        return None if self._covering is None else self._covering.attempt

    def heard(self) -> float | None:
        """Return until when the session that covers the subscription heard all; ``None`` without one."""
        return None if self._covering is None else self._covering.attempt.covered_until

    def leave(self) -> None:
        """No session will be opened any more."""
        self._rotator.leave()

    async def until_room(self) -> None:
        """Wait until a session may be opened where there is none; `run` follows, or `give_up_room`."""
        await self._shared.connect_rate.turn()
        await self._rotator.until_room()

    def give_up_room(self) -> None:
        """None will be opened for now; told again, it does nothing."""
        self._rotator.closed()

    async def run(self, token: Token | None) -> AttemptEnd:
        """Open a session, and others in its place; return how the last one ended, all of them being over."""
        async with anyio.create_task_group() as self._group:
            current = self._covering = self._start(token, self._report)
            while not current.over.is_set():
                takeover = self._takeover(current)
                permit = await unless_set(current.over, self._due(current, takeover))
                if permit is None:
                    takeover.abandon()
                if current.is_ending or current.over.is_set():
                    if permit is not None:
                        permit.release()
                    await current.over.wait()
                elif permit is not None:
                    current = self._covering = await self._rotate(current, permit, takeover)
                elif self._is_doubted.is_set():
                    self._tell_doubter(None)  # there is no room for two
                else:
                    current.finish("reopen")
        self._running.clear()
        self._covering = None
        if self._is_doubted.is_set():
            self._tell_doubter(None)
        self._rotator.closed()
        assert current.end is not None
        return current.end

    def _start(self, token: Token | None, told: AttemptEvents) -> RunningAttempt:
        assert self._group is not None
        running = RunningAttempt(
            lambda events: self._attempts.attempt(token, events), told=told, clock=self._shared.clock
        )
        self._running = [one for one in self._running if not one.over.is_set()]
        self._running.append(running)
        self._group.start_soon(running.run)
        return running

    async def _due(self, current: RunningAttempt, takeover: Takeover) -> Permit | None:
        """
        Return once another session is to take over from ``current``; or never. ``None``: there is no room for
        two.
        """
        keeper, token = self._shared.keeper, current.attempt.token
        if self._settings.rotation.kind != "overlap":
            await anyio.sleep_forever()
        seam, clock = self._pipeline.seam, self._shared.clock
        while current.progress < Progress.LIVE:  # noqa: ASYNC110
            await anyio.sleep(LOOK_FOR_JOIN)
        self._rotator.opened()
        while not seam.may_overlap(clock()):  # noqa: ASYNC110
            await anyio.sleep(LOOK_FOR_JOIN)
        if keeper is not None and token is not None:
            due = self._due_for_renewal(keeper, token, takeover)
            permit = await unless_set(self._is_doubted, due)
            if permit is not None or not self._is_doubted.is_set():
                return permit
        await self._is_doubted.wait()
        return await self._rotator.probe()

    async def _due_for_renewal(self, keeper: TokenKeeper, token: Token, takeover: Takeover) -> Permit | None:
        if self._second_sessions.are_allowed:
            reach = self._shared.rotations.plan.times(token.life or math.inf).reach
            return await self._rotator.due(
                token, keeper, is_quiet=lambda: self._is_quiet, called=lambda: takeover.record(reach)
            )
        await until_due_for_renewal(keeper, token, self._shared.clock, random.random)
        return None

    @property
    def _is_quiet(self) -> bool:
        """Whether the last row came so long ago that none is to be expected soon."""
        last = self.last_row_at()
        return last is None or self._shared.clock() - last > QUIET_AFTER

    def _takeover(self, old: RunningAttempt) -> Takeover:
        return Takeover(
            old,
            pipeline=self._pipeline,
            live=lambda: self._report.second(is_open=True),
            clock=self._shared.clock,
        )

    async def _rotate(self, old: RunningAttempt, permit: Permit, takeover: Takeover) -> RunningAttempt:
        """Let another session take over from ``old``; return the one that goes on."""
        end: TakeoverEnd | None = None
        try:
            with permit:
                end = await takeover.run(permit, lambda told: self._open_new(told, permit))
                if end.is_silent and end.new and permit.is_proved and not permit.is_probe:
                    end = takeover.switch(end.new, proved=True)
                going = self._after(old, end, permit)
                if going is not old:
                    await old.over.wait()
                elif end.new is not None:
                    await end.new.over.wait()
        finally:
            if self._is_doubted.is_set():
                self._tell_doubter(end)
            self._new = None
            self._report.second(is_open=False)
        if end.outcome is Outcome.NEW_ENDED and end.new is not None:
            await self._new_failed(old, end.new, permit)
        elif end.outcome is Outcome.UNPROVED and not permit.is_probe:
            await unless_set(old.over, self._rotator.until_calm(permit.until))
            old.finish("reopen")
        return going

    async def _open_new(self, told: AttemptEvents, permit: Permit) -> RunningAttempt | None:
        token = await self._shared.token(by=self._settings.name)
        await self._shared.connect_rate.turn()
        if not await permit.begin_trial():
            return None
        self._new = self._start(token, told)
        return self._new

    def _after(self, old: RunningAttempt, end: TakeoverEnd, permit: Permit) -> RunningAttempt:
        """Do what follows from ``end``, and return the session that goes on."""
        new, outcome = end.new, end.outcome
        self._report.rotated(outcome)
        self._note_old(old, end, permit)
        if new is None or outcome is Outcome.NEW_ENDED:
            return old
        if outcome is Outcome.ABANDONED:
            new.finish("rotate")  # it may have been started after all others were told to end
            return old
        if outcome is Outcome.UNPROVED:
            # One that is silent may be one too many: it is closed, and then the old one, for another.
            if not end.is_silent:
                permit.silent()
            new.finish("rotate")
            return old
        new.told = self._report
        if outcome is Outcome.OLD_ENDED:
            self._old_failed(old)
            self._report.goes_on(new.attempt)
            return new
        self._report.took_over(new.attempt, outcome)
        if end.missed is not None:
            reason = SILENT_SESSION if permit.is_probe else "rotation"
            self._report.missed(end.missed, reason)
        if outcome is Outcome.JOINED:
            permit.joined()
            self._retry.succeeded()
        return new

    def _note_old(self, old: RunningAttempt, end: TakeoverEnd, permit: Permit) -> None:
        """Some endpoints close the old session where a second one opens."""
        was_closed = end.new is not None and old.end is not None and old.end.error is not None
        if not was_closed or self._shared.clock() >= permit.until:
            if end.outcome is Outcome.JOINED:
                self._second_sessions.joined()
            return
        self._second_sessions.old_closed()

    def _old_failed(self, old: RunningAttempt) -> None:
        """The old session ended by itself; another one is on its way already."""
        end = old.end
        if end is not None and end.error is not None:
            decision = self._retry.after(end.error, end.token)
            self._report.ended(end, end.error, decision.verdict.reason)

    async def _new_failed(self, old: RunningAttempt, new: RunningAttempt, permit: Permit) -> None:
        """Wait before the next try; where there is none, the old one is closed before its token ends."""
        if new.end is None or new.end.error is None:
            self._pipeline.recover()  # it was shed
            await unless_set(old.over, anyio.sleep(AFTER_SHED))
            return
        decision = self._retry.after(new.end.error, new.end.token)
        with anyio.move_on_after(max(0.0, permit.until - self._shared.clock())) as scope:
            await unless_set(old.over, self._retry.rest(decision))
        if scope.cancelled_caught and decision.verdict.action is not Action.RECONNECT:
            old.finish("reopen")
