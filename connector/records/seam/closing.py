"""
When the old one of two sessions may be closed: once it has passed the point where the new one begins.

Evidence are the rows that the new session brings in its first second, and that the old one had not brought
before the new one subscribed: those are a snapshot. When the old one has brought all of them, too, nothing is
between what it brought and what the new one brings. Where neither brings anything nothing is proved: some
servers take a session too many, and are silent.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from connector.records.seam.recent_rows import RecentRows

EVIDENCE_FOR = 1.0
"""
Seconds from the new session's first row, or half of the shortest overlap, in which its rows are evidence; so
long, too, the old one is kept after it brought the last of them, since rows do not come in order.
"""

MOST_EVIDENCE = 10_000
"""Rows that are evidence; the first ones of a new session that is faster say enough."""


class Verdict(StrEnum):
    """What is to be done with two sessions."""

    KEEP_BOTH = "keep_both"
    CLOSE_OLD = "close_old"
    """The old one has passed the point where the new one begins."""
    DECLARE_GAP = "declare_gap"
    """The old one will not pass it any more: close it, and declare what lies between as a gap."""
    UNPROVED = "unproved"
    """The new one has not brought a row that proves anything; it may be silent for ever."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OverlapTimes:
    """Both sessions live ``least`` seconds, and not beyond ``until``, a moment in seconds."""

    least: float
    until: float


class Closing:
    """
    Is told of the rows of both sessions by what they are recognised by, and of the time, in seconds.

    An old row that came more than ``reach`` before a new one is not taken for the same. With ``distinct``, a
    row that comes again is no other row. ``remembers`` tells whether a row was published before, as far back
    as that is known. ``waits``: rows of the new session are no evidence before `matched` tells of one that is
    complete.
    """

    def __init__(
        self,
        *,
        began_at: float,
        reach: float,
        distinct: bool,
        waits: bool = False,
        remembers: Callable[[int], bool] = lambda digest: False,
    ) -> None:
        self._distinct = distinct
        self._remembers = remembers
        self._times: OverlapTimes | None = None
        self._subscribed_at = math.inf
        self._old = RecentRows(began_at=began_at, reach=reach)
        self._waiting: list[tuple[int, float, Sequence[int]]] | None = [] if waits else None
        self._waiting_rows = 0
        self._seen: set[int] = set()
        self._pending: Counter[int] = Counter()
        self._evidence = 0
        self._evidence_until = math.inf
        self._proved_at = -math.inf
        self._old_lives = True
        self._old_brought = False
        self.new_began_at: float | None = None
        """When the new session's first row came, those of a snapshot left aside."""

    def subscribed(self, now: float, times: OverlapTimes) -> None:
        """The new session begins."""
        self._subscribed_at = now
        self._times = times

    def old_closed(self) -> None:
        """The old session brings nothing more."""
        self._old_lives = False

    def old_rows(self, digests: Sequence[int], now: float) -> None:
        """The old session brought these."""
        self._old_brought = self._old_brought or now >= self._subscribed_at
        rest: list[int] = []
        for digest in digests:
            if not self._pending or digest not in self._pending:
                rest.append(digest)
                continue
            self._proved_at = now
            self._pending[digest] -= 1
            if not self._pending[digest]:
                del self._pending[digest]
        if now <= self._evidence_until:
            self._old.add(rest, now)

    def new_rows(self, receipt: int, digests: Sequence[int], now: float) -> None:
        """The new session brought these, in its receipt of that number."""
        if self._waiting is None:
            self._take(digests, now)
            return
        if digests and self.new_began_at is None:
            self.new_began_at = now
        if self._waiting_rows < MOST_EVIDENCE:
            self._waiting.append((receipt, now, digests))
            self._waiting_rows += len(digests)

    def matched(self, receipt: int, now: float) -> None:
        """One row of ``receipt`` is known to be complete, since the old session brought it, too."""
        if self._waiting is None:
            return
        waiting, self._waiting = self._waiting, None
        came_at = next((at for number, at, _ in waiting if number == receipt), now)
        self._count(came_at)
        self._proved_at = now
        for number, at, digests in waiting:
            if number > receipt:
                self._take(digests, at)

    def _take(self, digests: Sequence[int], now: float) -> None:
        if now > self._evidence_until or self._evidence >= MOST_EVIDENCE:
            self._old.forget()
            return
        for digest in digests:
            if self._distinct:
                if digest in self._seen:
                    continue
                self._seen.add(digest)
            came_at = self._old.take(digest, now)
            is_known = self._remembers(digest) if came_at is None else came_at < self._subscribed_at
            if is_known:
                continue
            self._count(now)
            if came_at is None:
                self._pending[digest] += 1

    def _count(self, now: float) -> None:
        assert self._times is not None
        self._evidence += 1
        if self.new_began_at is None:
            self.new_began_at = now
        if self._evidence_until == math.inf:
            self._evidence_until = now + self._evidence_for(self._times)

    @staticmethod
    def _evidence_for(times: OverlapTimes) -> float:
        return min(EVIDENCE_FOR, times.least / 2)

    # What follows

    @property
    def _is_proved(self) -> bool:
        return self._evidence > 0 and not self._pending

    def verdict(self, now: float) -> Verdict:
        """Return what is to be done ``now``; before `subscribed`, both are kept."""
        if self._times is None:
            return Verdict.KEEP_BOTH
        if not self._old_lives or now >= self._times.until:
            return self._last_verdict()
        waited = now - self._subscribed_at
        if waited < self._times.least:
            return Verdict.KEEP_BOTH
        if self._is_proved and now >= self._evidence_until:
            settled_at = self._proved_at + self._evidence_for(self._times)
            return Verdict.CLOSE_OLD if now >= settled_at else Verdict.KEEP_BOTH
        return Verdict.UNPROVED if self.is_silent else Verdict.KEEP_BOTH

    @property
    def is_silent(self) -> bool:
        """Whether neither session has brought a row since the new one subscribed."""
        return not self._old_brought and self.new_began_at is None

    def _last_verdict(self) -> Verdict:
        """That of a moment when nothing more can be waited for."""
        if self._is_proved:
            return Verdict.CLOSE_OLD
        if self._old_lives and self.new_began_at is None:
            return Verdict.UNPROVED
        return Verdict.DECLARE_GAP
