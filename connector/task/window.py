"""Some rows may be bad; too many of the last ones mean that something else is wrong."""

from __future__ import annotations

from bisect import bisect_left, insort


class Window:
    """
    Says when ``failures`` of any ``rows`` rows in a row were bad.

    Rows are numbered in the order received. Bad ones may become known in any other order, good ones are not
    told of at all.
    """

    def __init__(self, failures: int, rows: int) -> None:
        self.failures = failures
        self.rows = rows
        self._bad: list[int] = []

    def bad(self, number: int) -> bool:
        """Take note that row ``number`` is bad; return whether there are too many now."""
        insort(self._bad, number)
        if len(self._bad) < self.failures:
            return False
        place = bisect_left(self._bad, number)
        first = max(place - self.failures + 1, 0)
        last = min(place, len(self._bad) - self.failures)
        return any(
            self._bad[start + self.failures - 1] - self._bad[start] < self.rows
            for start in range(first, last + 1)
        )

    def through(self, number: int) -> None:
        """Forget what no longer counts: rows before ``number`` are all known to be good or bad."""
        if self._bad and self._bad[0] <= number - self.rows:
            self._bad = [one for one in self._bad if one > number - self.rows]
