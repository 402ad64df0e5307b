"""
How long a subscription was not covered by a session, and how long it was billed.

This is the one place where gaps are declared: in the log, in metrics, and as events.
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

import structlog

from connector.publish import Gap
from connector.task.handover import OpenGap
from connector.task.observers import GapObserver

log = structlog.get_logger(__name__)

PLANNED = ("reopen", "reload", "probe")
"""Reasons of gaps that were ours to choose."""

STOPPED = "stop"
"""The reason where nobody was to go on."""

ABSENT = "absence"
"""The reason where no process ran."""

Moment = float | datetime
"""Seconds of the tracker's clock; or a time with its zone, for what lies before the clock or the process."""


class GapEvents(Protocol):
    """`connector.publish.GapEvents`, or what stands for it. Nothing here may raise or block."""

    def opened(self, gap: Gap) -> None:
        """``gap`` has begun, and its end is not known."""

    def unfilled(self, gap: Gap) -> None:
        """``gap``, which was told of, is over, and its rows were not received."""


class GapTracker:
    """
    Counts uncovered and billed seconds as they pass.

    ``clock`` returns seconds, ``wall`` those since 1970. Time before the first session, or the first failure
    to get one, is not counted: nothing was promised yet. ``streams`` is how many streams the upstream bills.
    ``events`` of ``None``: there are none.
    """

    def __init__(
        self,
        name: str,
        observer: GapObserver,
        *,
        streams: int,
        events: GapEvents | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._name = name
        self._observer = observer
        self._streams = streams
        self._events = events
        self._clock = self.clock = clock
        self._wall = wall
        self._open: OpenGap | None = None
        self._counted_to = 0.0
        self._live_to: float | None = None
        self._sessions = 1
        self._first_live: float | None = None
        self._left: OpenGap | None = None
        self._is_handed_over = False
        self.left_at: float | None = None
        """When the last session that covered it ended; ``None``: none did yet."""

    @property
    def open_gap(self) -> OpenGap | None:
        """The gap that is open now; ``None``: there is none."""
        return self._open and replace(self._open, counted_to=self._counted_to)

    @property
    def tells_events(self) -> bool:
        """Whether somebody was told of gaps by their ids."""
        return self._events is not None

    @property
    def is_live(self) -> bool:
        """Whether a session covers it now."""
        return self._live_to is not None

    @property
    def uncovered(self) -> OpenGap | None:
        """The gap that is open, or that was when this ended or handed over; ``None``: there is none."""
        return self.open_gap or self._left

    def live(self, since: float) -> None:
        """A session covers it, ``since`` a moment of the clock; a gap that was open is declared."""
        if (gap := self._open) is not None:
            self._observer.uncovered(max(0.0, since - self._counted_to))
            over = _closed(gap, until_ms=self._milliseconds(since, math.ceil))
            self._declare(over, seconds=since - gap.since)
        self._open = None
        self._live_to = since
        if self._first_live is None:
            self._first_live = since

    def lost(self, reason: str, *, since: float | None = None) -> None:
        """No session covers it, from now or from ``since`` on; a second loss does not begin a new gap."""
        self.tick()
        self._live_to = None
        if self._open is None and not self._is_handed_over:
            self.left_at = self._clock() if since is None else since
            self._begin(self.left_at, reason)

    def absent(self, since: Moment, reason: str = ABSENT, *, gap_id: str | None = None) -> None:
        """
        Nobody received anything from ``since`` on, which may lie before this process began, until the first
        session: learnt before that it is the gap that is open, learnt later it is declared at once.
        ``gap_id`` is that of one which was open when the last process ended, and goes on; ``None``: none was.
        """
        moment = min(self._moment(since), self._clock())
        if self._first_live is not None:
            if moment < self._first_live:
                self.declare(since=since, until=self._first_live, reason=reason, gap_id=gap_id)
        elif self._open is None:
            self._begin(moment, reason, gap_id)
        elif moment < self._open.since:
            # A loss was told of first; they are one gap.
            self._observer.uncovered(self._open.since - moment)
            since_ms = self._milliseconds(moment, math.floor)
            self._open = replace(self._open, since=moment, since_ms=since_ms, reason=reason)

    def declare(
        self,
        *,
        since: Moment,
        until: Moment | None,
        reason: str,
        rows: int | None = None,
        gap_id: str | None = None,
    ) -> None:
        """
        Declare a gap that is over, and in which nobody was told of a loss: a session was open, but dead.

        ``until`` of ``None`` is now. ``rows`` is how many were missed, ``None``: nobody knows. A gap that is
        open besides stays open. ``gap_id``: see `absent`.
        """
        until = self._clock() if until is None else until
        gap = self._new(since, reason, gap_id)
        until_ms = max(gap.since_ms, self._milliseconds(until, math.ceil))
        seconds = max(0.0, self._moment(until) - gap.since)
        self._observer.uncovered(seconds)
        if self._events is not None:
            self._events.opened(_told(gap))
        self._declare(replace(_closed(gap, until_ms=until_ms), rows=rows), seconds=seconds)

    def sessions(self, count: int) -> None:
        """So many are open beside each other from now on, and billed, while one covers the subscription."""
        self.tick()
        self._sessions = count

    def hand_over(self) -> OpenGap | None:
        """Return the gap that is open, for another to go on with; this one counts nothing more of it."""
        self.tick()
        self._is_handed_over = True  # whoever goes on tells of it from now on
        gap = self._left = self.open_gap
        self._open = self._live_to = None
        return gap

    def take_over(self, gap: OpenGap | None) -> None:
        """Go on with ``gap``, of the same subscription and clock; ``None``: none is open."""
        if gap is not None:
            self._open, self._counted_to = gap, gap.counted_to

    def ended(self) -> None:
        """
        Nothing is promised any more.

        A gap that is open, or begins now, is not declared: nobody knows its end. Its event stays open too.
        The log has one that was open before it was stopped.
        """
        if self._live_to is not None:
            self.lost(STOPPED)
        self.tick()
        if self._open is not None and self._open.reason != STOPPED:
            log.warning(
                "gap left open",
                subscription=self._name,
                seconds=round(self._clock() - self._open.since, 3),
                reason=self._open.reason,
                since=_iso(self._open.since_ms),
            )
        self._left = self.open_gap or self._left
        self._open = self._live_to = None

    def tick(self) -> None:
        """Count the time since the last tick."""
        now = self._clock()
        if self._open is not None:
            self._observer.uncovered(now - self._counted_to)
            self._counted_to = now
        if self._live_to is not None:
            self._observer.streamed((now - self._live_to) * self._streams * self._sessions)
            self._live_to = now

    def _begin(self, since: float, reason: str, gap_id: str | None = None) -> None:
        self._open = self._new(since, reason, gap_id)
        self._counted_to = since
        if self._events is not None:
            self._events.opened(_told(self._open))

    def _new(self, since: Moment, reason: str, gap_id: str | None = None) -> OpenGap:
        began = self._moment(since)
        return OpenGap(
            since=began,
            since_ms=self._milliseconds(since, math.floor),
            counted_to=began,
            reason=reason,
            id=gap_id or str(uuid.uuid4()),
        )

    def _declare(self, gap: Gap, *, seconds: float) -> None:
        (log.info if gap.reason in PLANNED else log.warning)(
            "gap declared",
            subscription=self._name,
            seconds=round(seconds, 3),
            reason=gap.reason,
            since=_iso(gap.since_ms),
            until=_iso(gap.until_ms),
        )
        self._observer.gap("unfilled")
        if self._events is not None:
            self._events.unfilled(gap)

    def _moment(self, moment: Moment) -> float:
        """Return ``moment`` in seconds of the clock, which may lie before its beginning."""
        if isinstance(moment, datetime):
            return self._clock() - (self._wall() - moment.timestamp())
        return moment

    def _milliseconds(self, moment: Moment, rounded: Callable[[float], int]) -> int:
        if isinstance(moment, datetime):
            return rounded(moment.timestamp() * 1000)
        return rounded((self._wall() - (self._clock() - moment)) * 1000)


def _told(gap: OpenGap) -> Gap:
    return Gap(id=gap.id, since_ms=gap.since_ms, reason=gap.reason)


def _closed(gap: OpenGap, *, until_ms: int) -> Gap:
    # The wall's clock may have been set back meanwhile.
    return replace(_told(gap), until_ms=max(gap.since_ms, until_ms))


def _iso(ms: int | None) -> str | None:
    if ms is None:
        return None
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
