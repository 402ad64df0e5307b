"""Which rows of a refused batch are to blame."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Bisection:
    """
    The first ``left`` rows of a sender were refused together; ``chunk`` of them at a time find out which.

    Until a bad row is ``found``, what is acknowledged leaves the rest as suspect as before, so that
    half of the rest comes next; once one is found the rest may well be good, and chunks double.
    ``too_large`` is the size of the smallest batch that was too large, ``None`` where none was. Before them
    come ``good`` rows that the brokers took once, and that are sent again.
    """

    left: int = 0
    chunk: int = 0
    too_large: int | None = None
    found: bool = False
    good: int = 0

    def refused(self, rows: int, size: int, reason: str) -> None:
        """Take note that the first ``rows`` were refused together, more than one."""
        self.left, self.good = max(self.left + self.good, rows), 0
        self.chunk = rows // 2
        if reason == "too_large":
            self.too_large = min(size, self.too_large or size)

    def blame(self) -> None:
        """Take note that the first row, alone, was refused."""
        self.found = True
        self.chunk = 1

    def cleared(self, rows: int, *, acknowledged: bool) -> bool:
        """
        Take note that the first ``rows`` are dealt with, published or not; return whether none is left.
        """
        if self.good:
            self.good -= rows
            return False
        self.left -= rows
        if not self.found:
            self.chunk = min(self.chunk, (self.left + 1) // 2)
        elif acknowledged:
            self.chunk = min(self.chunk * 2, self.left)
        return self.left <= 0

    @property
    def most(self) -> int:
        """Rows that the next batch may have."""
        return self.good or self.chunk

    @property
    def learned_cap(self) -> int | None:
        """
        Bytes that batches had better not exceed; ``None`` where nothing was learned.

        Where no single row was too large, the batch was.
        """
        return None if self.found or self.too_large is None else max(self.too_large // 2, 1)
