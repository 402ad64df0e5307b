"""Gaps that found no room, told as one."""

from __future__ import annotations

from dataclasses import replace

from connector.publish.gap_event import Gap

MERGED = "merged"
"""The reason of a gap that stands for several."""


class MergedGaps:
    """
    Several gaps as one that covers them all: it begins with the earliest, and ends with the latest.

    ``gap`` is what is known of it; ``is_told`` whether its beginning was told.
    """

    def __init__(self, first: Gap, gap_id: str) -> None:
        self.gap = Gap(id=gap_id, since_ms=first.since_ms, reason=MERGED, rows=0)
        self.is_told = False
        self._open = {first.id}

    @property
    def is_over(self) -> bool:
        """Whether none of them goes on."""
        return not self._open

    def opened(self, gap: Gap) -> None:
        """``gap`` is one of them from now on."""
        self._open.add(gap.id)
        self.gap = replace(self.gap, since_ms=min(self.gap.since_ms, gap.since_ms))

    def ended(self, gap: Gap) -> bool:
        """Return whether ``gap``, which is over, is one of them that was not over."""
        if gap.id not in self._open:
            return False
        self._open.remove(gap.id)
        known, more = self.gap.rows, gap.rows
        rows = None if known is None or more is None else known + more
        until = max(self.gap.until_ms or 0, gap.until_ms or 0)
        since = min(self.gap.since_ms, gap.since_ms)
        self.gap = replace(self.gap, since_ms=since, until_ms=until, rows=rows)
        return True
