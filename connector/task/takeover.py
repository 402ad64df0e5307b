"""
One session takes over from another: both live until the old one has passed where the new one begins.

Rows of both are joined by the seam meanwhile, so that nobody downstream can tell.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import anyio

from connector.records.seam import Missed, Overlap, Verdict
from connector.task.attempt import Attempt, AttemptEvents
from connector.task.permit import Permit
from connector.task.pipeline import Pipeline
from connector.task.progress import Progress
from connector.task.receiver import Arrival
from connector.task.running_attempt import RunningAttempt
from connector.task.waits import unless_set

LOOK = 0.05
"""Seconds between two looks at how both sessions stand."""

StartAttempt = Callable[[AttemptEvents], Coroutine[Any, Any, RunningAttempt | None]]
"""Starts the new session, whose events go to whom is given; ``None``: there was no room in time."""

QUIET_TRIAL = 3.0
"""Seconds without a row of either session, after which an older proof that both are served is trusted."""


class Outcome(StrEnum):
    """What became of a rotation; labels of a metric."""

    JOINED = "joined"
    """The old one passed the point where the new one begins: nothing lies between them."""
    GAP = "gap"
    """It did not: what lies between them is declared."""
    UNPROVED = "unproved"
    """Neither brought anything, or the new one did not. The old one goes on."""
    NEW_ENDED = "new_ended"
    """The new one was refused, or ended. The old one goes on, unless it ended, too."""
    OLD_ENDED = "old_ended"
    """The old one ended before the new one had subscribed, which goes on by itself."""
    ABANDONED = "abandoned"
    """The old one was closed for another purpose."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TakeoverEnd:
    """
    How it ended. ``new`` is ``None`` where none was started, ``missed`` is what to declare, if anything.
    ``is_silent``: neither session brought a row while both lived.
    """

    outcome: Outcome
    new: RunningAttempt | None = None
    missed: Missed | None = None
    is_silent: bool = False


class Takeover:
    """
    Used once, for the session ``old`` of ``pipeline``. Satisfies `AttemptEvents`, for the new session.

    ``live`` is called once that is; ``clock`` returns seconds.
    """

    def __init__(
        self,
        old: RunningAttempt,
        *,
        pipeline: Pipeline,
        live: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._old = old
        self._pipeline = pipeline
        self._live = live
        self._clock = clock
        self._permit: Permit | None = None
        self._overlap: Overlap[Arrival] | None = None
        self._recorded_since = 0.0
        self._subscribed_at = math.inf
        self._is_joined = False

    def record(self, reach: float) -> None:
        """
        Record what the old session brings, ``reach`` seconds before there is a new one; told again, it does
        nothing. To be begun where the seam has no other overlap (see `Seam.may_overlap`).
        """
        if self._overlap is not None or self._is_left:
            return
        self._recorded_since, old = self._clock(), self._old.attempt
        # One that brought no row at all may have been dead from its beginning on.
        last = old.live_since if old.rows_from.last_row_at is None else old.rows_from.last_row_at
        self._overlap = self._pipeline.seam.begin_overlap(
            old.rows_from, now=self._recorded_since, reach=reach, last_row_at=last
        )

    def abandon(self) -> None:
        """There will be no new session; nothing where there was one."""
        if self._overlap is not None:
            self._overlap.abandon(self._clock())

    async def run(self, permit: Permit, start: StartAttempt) -> TakeoverEnd:
        """
        Return when it is known which session goes on; an old one that does not is being closed by then.
        ``permit`` says how long both may live.
        """
        self._permit = permit
        reach = permit.times.reach
        self.record(reach)
        overlap = self._overlap
        if overlap is None:
            return TakeoverEnd(outcome=Outcome.ABANDONED)
        recorded = self._clock() - self._recorded_since
        await unless_set(self._old.over, anyio.sleep(max(0.0, reach - recorded)))
        new: RunningAttempt | None = None
        if not self._is_left:
            new = await unless_set(self._old.over, start(self))
        if new is None:
            self.abandon()
            return TakeoverEnd(outcome=Outcome.ABANDONED)
        while (end := self._look(overlap, new)) is None:  # noqa: ASYNC110 - it is time that tells, too
            await anyio.sleep(LOOK)
        return end

    @property
    def _is_left(self) -> bool:
        return self._old.is_ending or self._old.over.is_set()

    def _look(self, overlap: Overlap[Arrival], new: RunningAttempt) -> TakeoverEnd | None:
        if self._old.is_ending:
            return TakeoverEnd(outcome=Outcome.ABANDONED, new=new)
        self._try(overlap, new)
        if new.over.is_set():
            overlap.abandon(self._clock())
            return TakeoverEnd(outcome=Outcome.NEW_ENDED, new=new)
        if not self._is_joined:
            return TakeoverEnd(outcome=Outcome.OLD_ENDED, new=new) if self._old.over.is_set() else None
        if new.progress < Progress.LIVE:
            return None  # it may still be refused, and shows that soon
        verdict = overlap.verdict(self._clock())
        if verdict is Verdict.KEEP_BOTH:
            return None
        if verdict is Verdict.UNPROVED and not self._old.over.is_set():
            return TakeoverEnd(outcome=Outcome.UNPROVED, new=new, is_silent=overlap.is_silent)
        return self.switch(new, proved=verdict is Verdict.CLOSE_OLD)

    def _try(self, overlap: Overlap[Arrival], new: RunningAttempt) -> None:
        """Siblings wait as long as it is not known that the new session is served."""
        assert self._permit is not None
        brings_rows = new.attempt.rows_from.last_row_at is not None
        quiet_for = self._clock() - self._subscribed_at if overlap.is_silent else 0.0
        if brings_rows or (quiet_for > QUIET_TRIAL and self._permit.is_proved):
            self._permit.tried()

    def switch(self, new: RunningAttempt, *, proved: bool) -> TakeoverEnd:
        """Let ``new`` take over, and close the old one; without proof, what it may have missed is told."""
        assert self._overlap is not None
        missed = None if proved else self._missed(self._overlap.missed)
        # Before the old one is told: what still comes of it counts as the rest of a session that is over.
        self._pipeline.go_on(self._overlap.switch())
        self._old.told = None
        self._old.finish("rotate")
        return TakeoverEnd(outcome=Outcome.JOINED if proved else Outcome.GAP, new=new, missed=missed)

    def _missed(self, missed: Missed) -> Missed:
        """How far the old session lagged is not known where none of its rows was matched."""
        assert self._permit is not None
        # That of one which was silent for long does not matter.
        reach = 0.0 if self._permit.is_probe else self._permit.times.reach
        return Missed(since=missed.since - reach, until=missed.until)

    # AttemptEvents

    def reached(self, attempt: Attempt, progress: Progress) -> None:
        """See `AttemptEvents`; of the new session."""
        if progress is Progress.SUBSCRIBING and not self._old.over.is_set():
            assert self._overlap is not None
            assert self._permit is not None
            self._overlap.subscribed(attempt.rows_from, self._clock(), self._permit.subscribed())
            self._is_joined = True
            self._subscribed_at = self._clock()
        elif progress is Progress.LIVE:
            self._live()

    def closing(self, attempt: Attempt, cause: str) -> None:
        """See `AttemptEvents`."""

    def closed(self, attempt: Attempt, cause: str) -> None:
        """See `AttemptEvents`."""
