"""
Up to when a subscription is covered: received by a session, and acknowledged by the brokers.

Asked now and then, it looks at how things stand, so nothing is done for a row. What it says is true for good:
a process that dies in the next moment has lost nothing that was received before.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from connector.publish.offsets import OffsetRecord, OpenRange
from connector.task.gap_tracker import GapTracker

OWN = ("stop",)
"""
Reasons that are no gap's: whoever starts next calls the time since its absence. They are written all the same
where their beginning was told as an event, so that its end can be.
"""

ON_ITS_WAY = 1.0
"""
Seconds before the last sign of life of a session up to which it counts as covered: what came in the same
moment may still be read.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clocks:
    """
    Seconds of `time.monotonic`, which rows and gaps are timed by, and seconds since 1970, which outlive the
    process.
    """

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time

    def to_ms(self, moment: float) -> int:
        """Return a moment of the first as unix ms of the second, as it goes now; never one that is later."""
        return max(0, int((self.wall() + (moment - self.monotonic())) * 1000))

    def from_ms(self, ms: int) -> float:
        """Return unix ms as a moment of the first, which may lie before it began; none in the future."""
        now = self.monotonic()
        return min(now, now + (ms / 1000 - self.wall()))


class OffsetTracker:
    """
    One subscription's, as long as one runner follows it.

    ``oldest`` returns when the first of what is not through was received, ``None`` where all is. ``heard``
    returns when its session last heard anything, ``None`` where there is none; both in seconds of the
    monotonic clock, as all moments of ``gaps``.
    """

    def __init__(
        self,
        gaps: GapTracker,
        *,
        oldest: Callable[[], float | None],
        heard: Callable[[], float | None],
        clocks: Clocks | None = None,
    ) -> None:
        self._gaps = gaps
        self._oldest = oldest
        self._heard = heard
        self._clocks = clocks or Clocks(monotonic=gaps.clock)
        self._frozen: float | None = None

    def freeze(self) -> None:
        """What is not through now never will be: nothing from the first of it on is covered any more."""
        oldest = self._oldest()
        if self._frozen is None:
            self._frozen = self._clocks.monotonic() if oldest is None else oldest

    def record(self) -> OffsetRecord | None:
        """Return how far it is covered; ``None`` where nothing can be said, as before the first session."""
        gap = self._gaps.uncovered
        heard = self._heard() if self._gaps.is_live else None
        bound = gap.since if gap is not None else None if heard is None else heard - ON_ITS_WAY
        if bound is None:
            return None
        moments = [moment for moment in (bound, self._oldest(), self._frozen) if moment is not None]
        ranges: tuple[OpenRange, ...] = ()
        if gap is not None and (self._gaps.tells_events or gap.reason not in OWN):
            gap_id = gap.id if self._gaps.tells_events else None
            ranges = (OpenRange(since=self._clocks.to_ms(gap.since), reason=gap.reason, id=gap_id),)
        return OffsetRecord(covered_until=self._clocks.to_ms(min(moments)), open=ranges)
