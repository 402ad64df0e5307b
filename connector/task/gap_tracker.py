"""How long a subscription was not covered by a session, and how long it was billed."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from connector.task.handover import OpenGap
from connector.task.observers import GapObserver

log = structlog.get_logger(__name__)

PLANNED = ("reopen", "reload", "probe")
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
        self._clock = clock
        self._lost_at: float | None = None
        self._counted_to = 0.0
        self._live_to: float | None = None
        self._reason = ""
        self.left_at: float | None = None
        """When the last session that covered it ended; ``None``: none did yet."""

    def live(self, since: float) -> None:
        """A session covers it, ``since`` a moment of the clock; a gap that was open is declared."""
        if self._lost_at is not None:
            self._observer.uncovered(max(0.0, since - self._counted_to))
            gap = since - self._lost_at
            planned = self._reason in PLANNED
            (log.info if planned else log.warning)(
                "gap declared", subscription=self._name, seconds=round(gap, 3), reason=self._reason
            )
            self._observer.gap("unfilled")
        self._lost_at = None
        self._live_to = since

    def lost(self, reason: str, *, since: float | None = None) -> None:
        """No session covers it, from now or from ``since`` on; a second loss does not begin a new gap."""
        self.tick()
        self._live_to = None
        if self._lost_at is None:
            self._lost_at = self._counted_to = self._clock() if since is None else since
            self._reason = reason
            self.left_at = self._lost_at

    def declare(self, *, since: float, until: float, reason: str) -> None:
        """
        Declare a gap that is over, and in which a session seemed to cover it. Moments are of the clock;
        nothing is declared where ``until`` is not later.
        """
        if until <= since:
            return
        self._observer.uncovered(until - since)
        log.warning("gap declared", subscription=self._name, seconds=round(until - since, 3), reason=reason)
        self._observer.gap("unfilled")

    def hand_over(self) -> OpenGap | None:
        """Return the gap that is open, for another to go on with; this one counts nothing more of it."""
        self.tick()
        lost_at, self._lost_at, self._live_to = self._lost_at, None, None
        if lost_at is None:
            return None
        return OpenGap(since=lost_at, counted_to=self._counted_to, reason=self._reason)

    def take_over(self, gap: OpenGap | None) -> None:
        """Go on with ``gap``, of the same subscription and clock; ``None``: none is open."""
        if gap is not None:
            self._lost_at, self._counted_to, self._reason = gap.since, gap.counted_to, gap.reason

    def ended(self) -> None:
        """Nothing is promised any more."""
        self.tick()
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
