"""How long a subscription was not covered by a session, and how long it was billed."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from connector.task.handover import OpenGap
from connector.task.observers import GapObserver

log = structlog.get_logger(__name__)

PLANNED = ("reopen", "reload")
"""Reasons of gaps that were ours to choose."""


class GapTracker:
    """
    Counts uncovered and billed seconds as they pass.

    ``clock`` returns seconds. Time before the first session, or the first failure to get one, is not
    counted: nothing was promised yet. ``streams`` is how many streams the upstream bills.
    """

    def __init__(
        self,
        name: str,
        observer: GapObserver,
        *,
        streams: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._observer = observer
        self._streams = streams
        self._clock = self.clock = clock
        self._lost_at: float | None = None
        self._counted_to = 0.0
        self._live_to: float | None = None
        self._reason = ""
        self._first_live: float | None = None
        self._left: OpenGap | None = None

    @property
    def is_live(self) -> bool:
        """Whether a session covers it now."""
        return self._live_to is not None

    @property
    def uncovered(self) -> OpenGap | None:
        """The gap that is open, or that was when this ended or handed over; ``None``: there is none."""
        if self._lost_at is None:
            return self._left
        return OpenGap(since=self._lost_at, counted_to=self._counted_to, reason=self._reason)

    def live(self, since: float) -> None:
        """A session covers it, ``since`` a moment of the clock; a gap that was open is declared."""
        if self._lost_at is not None:
            self._observer.uncovered(max(0.0, since - self._counted_to))
            self.declare(since=self._lost_at, until=since, reason=self._reason)
        self._lost_at = None
        self._live_to = since
        if self._first_live is None:
            self._first_live = since

    def absent(self, since: float, reason: str) -> None:
        """
        Nobody received anything from ``since`` on, which may lie before this process began, until the first
        session: learnt before that it is the gap that is open, learnt later it is declared at once.
        """
        if self._first_live is not None:
            if since < self._first_live:
                self._observer.uncovered(self._first_live - since)
                self.declare(since=since, until=self._first_live, reason=reason)
            return
        if self._lost_at is None:
            self._counted_to = since
        elif since < self._lost_at:
            self._observer.uncovered(self._lost_at - since)
        else:
            return
        self._lost_at, self._reason = since, reason

    def declare(self, *, since: float, until: float, reason: str) -> None:
        """Tell of a gap that is over, in moments of the clock, which may lie before this process began."""
        (log.info if reason in PLANNED else log.warning)(
            "gap declared", subscription=self._name, seconds=round(until - since, 3), reason=reason
        )
        self._observer.gap("unfilled")

    def lost(self, reason: str, *, since: float | None = None) -> None:
        """No session covers it, from now or from ``since`` on; a second loss does not begin a new gap."""
        self.tick()
        self._live_to = None
        if self._lost_at is None:
            self._lost_at = self._counted_to = self._clock() if since is None else since
            self._reason = reason

    def hand_over(self) -> OpenGap | None:
        """Return the gap that is open, for another to go on with; this one counts nothing more of it."""
        self.tick()
        gap = self.uncovered if self._lost_at is not None else None
        self._leave()
        return gap

    def take_over(self, gap: OpenGap | None) -> None:
        """Go on with ``gap``, of the same subscription and clock; ``None``: none is open."""
        if gap is not None:
            self._lost_at, self._counted_to, self._reason = gap.since, gap.counted_to, gap.reason

    def ended(self) -> None:
        """Nothing is promised any more."""
        self.tick()
        self._leave()

    def _leave(self) -> None:
        """Remember what was open: what is said of it later is said by whoever goes on, maybe days later."""
        if self._live_to is not None and self._lost_at is None:
            now = self._clock()
            self._left = OpenGap(since=now, counted_to=now, reason="stop")
        elif self._lost_at is not None:
            self._left = self.uncovered
        self._lost_at = self._live_to = None

    def tick(self) -> None:
        """Count the time since the last tick."""
        now = self._clock()
        if self._lost_at is not None:
            self._observer.uncovered(now - self._counted_to)
            self._counted_to = now
        if self._live_to is not None:
            self._observer.streamed((now - self._live_to) * self._streams)
            self._live_to = now
