"""Rows of the old one of two sessions, for as long as the new one may bring the same."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from connector.records.seam.unmatched import UnmatchedRows

_GENERATIONS = 8

_moment = struct.Struct("<d")


class RecentRows:
    """What came in the last ``reach`` seconds, from ``began_at`` on."""

    def __init__(self, *, began_at: float, reach: float) -> None:
        self._rows = UnmatchedRows()
        self._began_at = began_at
        self._reach = reach
        self._generation = 0

    def add(self, digests: Sequence[int], now: float) -> None:
        """Remember rows that came ``now``, and forget what is old."""
        generation = int((now - self._began_at) / self._reach * _GENERATIONS)
        if generation > self._generation:
            self._generation = generation
            self._rows.enter(generation, max(0, generation - _GENERATIONS))
        note = int.from_bytes(_moment.pack(now), "little")
        add = self._rows.add
        for digest in digests:
            add(digest, note)
        self._rows.added(len(digests))

    def take(self, digest: int, now: float) -> float | None:
        """
        Take out the one with ``digest`` that came last; return when that was. ``None``: none came shortly
        before ``now``.

        The last one, for where rows that are equal come again and again, those before belong to others.
        """
        note = self._rows.take_last(digest)
        if note is None:
            return None
        came_at: float = _moment.unpack(note.to_bytes(_moment.size, "little"))[0]
        return came_at if came_at >= now - self._reach else None

    def forget(self) -> int:
        """Remember none; return how many there were."""
        forgotten = len(self._rows)
        self._rows = UnmatchedRows()
        return forgotten

    @property
    def size(self) -> int:
        """Bytes that they take."""
        return self._rows.size
