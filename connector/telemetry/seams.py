"""
What seams drop and remember, as metrics.

They count for themselves, with every row; here that is looked at before each rendering.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from prometheus_client import Counter

from connector.telemetry.metrics import Metrics


class SeamNumbers(Protocol):
    """See `connector.records.seam.SeamCounts`; each only grows."""

    repeats: int
    joined: int
    partial: int
    conflicts: int
    differences: int
    unmatched: int
    forgotten: int


class SeamState(Protocol):
    """See `connector.records.seam.Seam`."""

    @property
    def counts(self) -> SeamNumbers:
        """What it did so far."""

    @property
    def size(self) -> int:
        """Bytes that it takes."""

    def covered(self, now: float) -> float | None:
        """Return how many seconds back repeats are known; ``None``: they are not dropped."""


_COUNTERS = {
    "repeats": "rows_repeated",
    "joined": "rows_joined",
    "partial": "rows_partial",
    "conflicts": "rows_conflicting",
    "differences": "rows_differing",
    "unmatched": "rows_unmatched",
    "forgotten": "dedup_forgotten_rows",
}
"""A number of seams → the metric that it goes to."""


class SeamMetrics:
    """
    Measures the seam that each subscription has now. ``clock`` returns seconds, as rows are timed by.

    Where a subscription was changed, it has another seam while the one before may still count a little.
    """

    def __init__(self, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._clock = clock
        self._seams: dict[str, tuple[SeamState, _Counted]] = {}
        self._before: dict[str, _Counted] = {}

    def follow(self, name: str, seam: SeamState) -> None:
        """From now on ``seam`` is that of subscription ``name``."""
        if name in self._seams:
            # Not the seam itself, which may take megabytes.
            _, self._before[name] = self._seams[name]
            self._before[name].pour()
        counters = {
            number: getattr(self._metrics, metric).labels(name) for number, metric in _COUNTERS.items()
        }
        self._seams[name] = seam, _Counted(seam.counts, counters)
        if seam.covered(self._clock()) is None:
            self._metrics.dedup_window.remove_by_labels({"subscription": name})

    def forget(self, name: str) -> None:
        """Subscription ``name`` is no more."""
        self._seams.pop(name, None)
        self._before.pop(name, None)

    def measure(self) -> None:
        """Bring the metrics up to now."""
        now = self._clock()
        for counted in self._before.values():
            counted.pour()
        for name, (seam, counted) in self._seams.items():
            counted.pour()
            self._metrics.dedup_bytes.labels(name).set(seam.size)
            covered = seam.covered(now)
            if covered is not None:
                self._metrics.dedup_window.labels(name).set(covered)


class _Counted:
    """What of ``counts`` went into ``counters`` already; ``counts`` stay with their seam."""

    def __init__(self, counts: SeamNumbers, counters: dict[str, Counter]) -> None:
        self._counts = counts
        self._counters = counters
        self._poured = dict.fromkeys(counters, 0)

    def pour(self) -> None:
        for number, counter in self._counters.items():
            now: int = getattr(self._counts, number)
            counter.inc(now - self._poured[number])
            self._poured[number] = now
