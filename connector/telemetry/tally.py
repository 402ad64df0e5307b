"""Counting what happens many thousand times a second, for series that are looked at now and then."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from prometheus_client import Histogram


class Spread:
    """Observations by bucket, kept apart from the ``series`` of a histogram until `pour`."""

    __slots__ = ("_counts", "_edges", "_series", "_sum")

    def __init__(self, series: Histogram, edges: Sequence[float]) -> None:
        self._series = series
        self._edges = tuple(edges)
        self._counts = [0] * (len(edges) + 1)
        self._sum = 0.0

    def observe(self, value: float, times: int = 1) -> None:
        """Count ``value`` so many ``times``."""
        self._counts[bisect_left(self._edges, value)] += times
        self._sum += value * times

    def pour(self) -> None:
        """Add what was counted since the last time to the series."""
        # The library has no way to observe many values at once.
        for bucket, count in zip(self._series._buckets, self._counts, strict=True):
            if count:
                bucket.inc(count)
        self._series._sum.inc(self._sum)
        self._counts = [0] * len(self._counts)
        self._sum = 0.0
