"""
When a session that is alive is doubted, and what comes of it.

It is doubted when it is silent far beyond its subscription's habit, or when errors came in the place of
data and then nothing. The only witness is another session: where that delivers and the old one did not, the
old one was dead. Where both are silent nothing is proved, and the next probe comes later.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from connector.backoff import Steps
from connector.task.doubt import Doubt, Finding, Seen, Verdict
from connector.task.siblings import PAUSE_FIRST, PAUSE_MOST, Siblings
from connector.task.silence import Silence
from connector.task.suspicion_policy import SuspicionPolicy

PROBATION = 2.0
"""Seconds after errors without data in which a result shows that the stream goes on all the same."""

WITNESS = 0.25
WITNESS_LEAST = 10.0
"""
How long another session may take to deliver: a share of the silence that is doubted, or so many seconds. What
comes later may have begun later.
"""

PROOFS = 2
"""Looks that find rows, after those of a snapshot, and prove that a session delivers."""

ODD_TIMES = 3.0
"""
A session that was silent for so many times what is usual when it was replaced for another reason: where the
next one delivers soon, the silence was its own.
"""

UNANSWERED = 600.0
"""Seconds after which a probe beside the old session that nobody told of has proved nothing."""

LOOK_LEAST = 1.0
LOOK_MOST = 10.0
LOOK_SHARE = 1 / 20
"""Seconds between two looks, and their share of the silence that is looked for."""


class SuspicionEvents(Protocol):
    """What is asked of, and told to, whoever opens the sessions."""

    def probe(self, doubt: Doubt) -> None:
        """Open another session. Where that is one beside the old one, the verdict is to be told."""

    def found(self, finding: Finding) -> None:
        """A doubted session was judged."""


@dataclass(frozen=True, slots=True)
class _Probe:
    """
    Begun at ``at`` for ``doubt``, when the last row had come at ``row_at``; no verdict is told yet.
    ``is_beside``: the other session is opened beside the old one.
    """

    doubt: Doubt
    at: float
    row_at: float | None
    is_beside: bool


@dataclass(slots=True)
class _Trial:
    """A session after a doubted one, watched until ``until``; ``proofs`` are looks that found rows."""

    doubt: Doubt
    row_at: float
    live_since: float
    until: float
    was_probed: bool
    proofs: int = 0


class Suspicion:
    """
    One subscription's, called ``name``; moments are seconds of one clock. `look` is to be called every
    ``wait`` seconds. ``siblings`` are those whose rows tell that the endpoint is not silent as a whole.
    """

    def __init__(
        self,
        name: str,
        policy: SuspicionPolicy,
        *,
        siblings: Siblings,
        events: SuspicionEvents,
        rng: Callable[[], float] = random.random,
    ) -> None:
        self._name = name
        self._policy = policy
        self._siblings = siblings
        self._events = events
        self._steps = Steps(first=PAUSE_FIRST, cap=PAUSE_MOST, rng=rng)
        self._silence = Silence()
        self._live_since = -math.inf
        self._row_at: float | None = None
        self._doubted: Doubt | None = None
        self._probing: _Probe | None = None
        self._trial: _Trial | None = None
        self._probed_at = -math.inf
        self._next_at = -math.inf
        self.wait = LOOK_LEAST

    @property
    def limit(self) -> float | None:
        """After how many seconds of silence the session is doubted now; ``None``: not at all."""
        return self._policy.limit(self._silence.habit.usual)

    def look(self, now: float, seen: Seen) -> None:
        """Take note of what is ``seen``; may ask for a probe, or tell what one has shown."""
        came = self._silence.look(now, row_at=seen.row_at, live_since=seen.live_since, asked=self.wait)
        if seen.live_since is not None:
            if seen.live_since != self._live_since:
                self._session_began(now, seen, seen.live_since)
            if came:
                self._rows_came(now)
            self._judge(now)
            self._doubted = self._doubt(now, seen)
            self._ask(now, seen)
        self._row_at = seen.row_at
        limit = self.limit if self._trial is None else None
        self.wait = min(max((limit or 0.0) * LOOK_SHARE, LOOK_LEAST), LOOK_MOST)

    # What a probe beside the old session has shown

    def dead(self, now: float, *, row_at: float | None) -> None:
        """The new session delivers, and the old one does not: it had brought its last row at ``row_at``."""
        self._told(now, Verdict.DEAD, row_at)
        self._silence.restart()

    def alive(self, now: float) -> None:
        """The old session delivers."""
        self._told(now, Verdict.ALIVE, self._row_at)

    def nothing_proved(self, now: float) -> None:
        """Neither delivers, or there was no other session."""
        self._told(now, Verdict.NOTHING_PROVED, self._row_at)

    def no_room(self, now: float) -> bool:
        """No session can be opened beside the old one; return whether that is to be reopened instead."""
        if self._probing is None or self._probing.doubt is Doubt.ERRORS:  # it is reopened soon without that
            self.nothing_proved(now)
            return False
        self._probing = replace(self._probing, is_beside=False)
        return True

    def _told(self, now: float, verdict: Verdict, row_at: float | None) -> None:
        if self._probing is not None:
            doubt, self._probing, self._doubted = self._probing.doubt, None, None
            self._conclude(now, verdict, doubt, row_at)

    # What is seen of sessions one after the other

    def _session_began(self, now: float, seen: Seen, live_since: float) -> None:
        """Watch whether it delivers, where the one before is doubted, whoever opened it and why."""
        before, self._live_since = self._live_since, live_since
        probing, trial, self._trial = self._probing, self._trial, None
        if probing is not None and probing.is_beside:
            return  # whoever probes knows more
        # Of rows that came since the last look, those from before it were the old one's.
        last = self._row_at if seen.row_at is None or seen.row_at >= live_since else seen.row_at
        if probing is not None and last != probing.row_at:
            self._told(now, Verdict.ALIVE, last)  # it brought some while it was being closed
            return
        doubt = trial.doubt if trial is not None else probing.doubt if probing is not None else self._doubted
        if doubt is None:
            if last is not None and seen.left_at is not None and self._is_odd(seen.left_at - last):
                self._trial = _Trial(Doubt.SILENCE, last, live_since, now + WITNESS_LEAST, was_probed=False)
            return
        row_at = trial.row_at if trial is not None else before if last is None else last
        was_probed = probing is not None or (trial is not None and trial.was_probed)
        self._probing = None
        if not was_probed:
            self._probed_at, self._next_at = now, max(self._next_at, now + PAUSE_FIRST)
        until = now + max(WITNESS_LEAST, WITNESS * (self.limit or 0.0))
        self._trial = _Trial(doubt, row_at, live_since, until, was_probed)

    def _is_odd(self, silence: float) -> bool:
        usual = self._silence.habit.usual
        return usual is not None and silence > ODD_TIMES * usual

    def _rows_came(self, now: float) -> None:
        if self._probing is not None and self._probing.is_beside:
            return  # whose they are is told
        self._siblings.delivered(self._name, now)
        if self._trial is not None:
            self._trial.proofs += 1
        elif self._probing is not None:
            self._told(now, Verdict.ALIVE, self._row_at)  # while it was being closed
        else:
            self._steps.reset()
            self._next_at = min(self._next_at, self._probed_at + PAUSE_FIRST)

    def _judge(self, now: float) -> None:
        trial = self._trial
        if trial is not None and trial.proofs >= PROOFS:
            self._trial = None
            self._conclude(now, Verdict.DEAD, trial.doubt, trial.row_at, trial)
        elif trial is not None and now >= trial.until:
            self._trial = None
            if trial.was_probed:
                self._conclude(now, Verdict.NOTHING_PROVED, trial.doubt, trial.row_at, trial)
        elif self._probing is not None and self._probing.is_beside and now - self._probing.at >= UNANSWERED:
            self.nothing_proved(now)

    # Between probes

    def _doubt(self, now: float, seen: Seen) -> Doubt | None:
        limit = self.limit
        if seen.failing_since is not None and now - seen.failing_since >= PROBATION:
            return Doubt.ERRORS
        return Doubt.SILENCE if limit is not None and self._silence.lasts >= limit else None

    def _ask(self, now: float, seen: Seen) -> None:
        doubt = self._doubted
        if doubt is None or self._probing is not None or self._trial is not None:
            return
        if not seen.is_free or now < self._next_at:
            return
        if doubt is Doubt.ERRORS and not self._policy.overlaps:
            return  # it is reopened soon without that
        if self._siblings.may_probe(self._name, now):
            self._siblings.probed(self._name, now)
            self._probing = _Probe(doubt, now, seen.row_at, is_beside=self._policy.overlaps)
            self._probed_at = now
            self._events.probe(doubt)

    def _conclude(
        self, now: float, verdict: Verdict, doubt: Doubt, row_at: float | None, trial: _Trial | None = None
    ) -> None:
        if verdict is Verdict.DEAD:
            self._steps.reset()
        # Another probe would prove nothing before rows may be expected.
        pause = self._steps.next(at_least=min(self.limit or 0.0, PAUSE_MOST))
        self._next_at = max(self._next_at, now + pause)
        self._events.found(
            Finding(
                verdict=verdict,
                doubt=doubt,
                row_at=row_at,
                live_since=trial.live_since if trial is not None else None,
                was_probed=trial is None or trial.was_probed,
                pause=pause,
            )
        )
