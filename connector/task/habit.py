"""
A subscription's own habit of silence: how long it is between its rows.

What is usual is the longest silence that there was, but for a few a day: a market that closes for the night,
or an outage of the upstream, is no habit, or nothing would be found for as long as it is remembered.
"""

from __future__ import annotations

import heapq
from collections import deque

LEARNT_AFTER = 20
"""Silences before which no habit is assumed."""

HOUR = 3600.0
HOURS = 24
"""What is remembered: so many hours of activity. A longer silence counts as one hour of it."""

UNUSUAL_A_DAY = 3
"""Of the silences remembered so many at most, the longest, are no habit; the first after a third of a day…"""

UNUSUAL_AMONG = 100
"""… and one among so many: of a subscription with a row an hour, all are habit."""


class _Hour:
    """The silences within an hour of activity: how many, and the longest, in ascending order."""

    __slots__ = ("active", "count", "longest")

    def __init__(self) -> None:
        self.active = 0.0
        self.count = 0
        self.longest: list[float] = []

    def add(self, silence: float) -> bool:
        """Count ``silence``; return whether it is among the longest."""
        self.active += min(silence, HOUR)
        self.count += 1
        if len(self.longest) <= UNUSUAL_A_DAY:
            heapq.heappush(self.longest, silence)
            return True
        return heapq.heappushpop(self.longest, silence) < silence


class Habit:
    """
    Of one subscription; it takes no more memory however long it lasts.

    ``usual`` is the longest silence that is usual, in seconds; ``None`` as long as too few are known.
    """

    def __init__(self) -> None:
        self._hours = deque([_Hour()], maxlen=HOURS)
        self._known = 0
        self.usual: float | None = None

    def learn(self, silence: float) -> None:
        """There were ``silence`` seconds between two rows, or between two looks that saw some."""
        if self._hours[-1].active >= HOUR:
            self._hours.append(_Hour())
        is_news = self._hours[-1].add(
            silence
        )  # as the first ones of an hour are, so that old ones are forgotten
        self._known += 1
        if self._known >= LEARNT_AFTER and (is_news or self.usual is None):
            self.usual = self._look()

    def _look(self) -> float:
        active = sum(hour.active for hour in self._hours)
        count = sum(hour.count for hour in self._hours)
        unusual = min(int(active * UNUSUAL_A_DAY / (HOURS * HOUR)), count // UNUSUAL_AMONG, UNUSUAL_A_DAY)
        return heapq.nlargest(unusual + 1, (one for hour in self._hours for one in hour.longest))[-1]
