"""When entries of a table of digests are old, and what goes when there is no room."""

from __future__ import annotations

import math

from connector.records.seam.counts import SeamCounts
from connector.records.seam.digest_table import DigestTable

GENERATIONS = 64
"""Parts of a window; what came in one of them is old at the same time."""

SWEEPS = 8
"""How often each bucket is looked at within a window, so that what is old goes."""

MOST_SWEPT = 256
"""Buckets that are looked at in one go, which takes a tenth of a millisecond; the rest is left for later."""

_TAGS = 256


class Ageing:
    """
    Keeps what came to ``table`` within the last ``seconds``, and a little longer, in ``max_bytes`` at most.

    Call `turn` before entries are appended and `added` after it. `tag` is what their last byte has to be.
    ``counts.forgotten`` are those that went before they were old.
    """

    __slots__ = (
        "_counts",
        "_due_at",
        "_expired",
        "_generation",
        "_last_squeezed",
        "_max_bytes",
        "_room",
        "_seconds",
        "_step",
        "_swept_at",
        "_table",
        "tag",
    )

    def __init__(self, table: DigestTable, *, seconds: float, max_bytes: int, counts: SeamCounts) -> None:
        self._table = table
        self._seconds = seconds
        self._step = seconds / GENERATIONS
        self._max_bytes = max_bytes
        self._counts = counts
        self._generation = -1
        self._swept_at: float | None = None
        self._last_squeezed: int | None = None
        self._expired = b""
        self._due_at = -math.inf
        self._room = 0
        self.tag = b"\0"

    def turn(self, now: float) -> None:
        """Go on to ``now``: take out some of what is old."""
        if now >= self._due_at:
            self._go_on(now)

    def _go_on(self, now: float) -> None:
        if now >= (self._generation + 1) * self._step:
            self._enter(int(now / self._step))
            self._swept_at = now if self._swept_at is None else self._swept_at
        assert self._swept_at is not None
        buckets = len(self._table.buckets)
        pace = buckets * SWEEPS / self._seconds
        due = int((now - self._swept_at) * pace)
        if due:
            self._table.sweep(min(due, MOST_SWEPT), self._expired)
            # After a silence there is much to do; all at once would hold everybody else up.
            self._swept_at = now if due > buckets else self._swept_at + min(due, MOST_SWEPT) / pace
        self._due_at = min((self._generation + 1) * self._step, self._swept_at + max(1, buckets // 64) / pace)

    def added(self, entries: int) -> None:
        """So many were appended: make room for more."""
        table = self._table
        table.added(entries)
        if table.entries > self._room:
            self._fit()

    def _fit(self) -> None:
        """Drop what there is no room for, and find out how many entries there is room for."""
        table = self._table
        while table.size > self._max_bytes and table.entries:
            before = table.entries
            tag = table.squeeze()
            if tag is not None and tag not in self._expired:
                self._counts.forgotten += before - table.entries
                self._note_squeezed(tag)
        self._room = table.entries + table.room(self._max_bytes)

    def covered(self, now: float) -> float:
        """
        Return how many seconds back everything is still known: those asked for, or less for want of room.
        """
        if self._last_squeezed is None:
            return self._seconds
        return max(0.0, min(self._seconds, now - (self._last_squeezed + 1) * self._step))

    def _enter(self, generation: int) -> None:
        self._generation = generation
        self.tag = bytes([generation % _TAGS])
        live = {(generation - back) % _TAGS for back in range(GENERATIONS + 1)}
        self._expired = bytes(tag for tag in range(_TAGS) if tag not in live)

    def _note_squeezed(self, tag: int) -> None:
        generation = self._generation - (self._generation - tag) % _TAGS
        if self._last_squeezed is None or generation > self._last_squeezed:
            self._last_squeezed = generation
