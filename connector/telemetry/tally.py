"""Counting what happens many thousand times a second, for series that are looked at now and then."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from prometheus_client import Counter, Histogram


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


class Tally:
    """What happens with each frame of one subscription; the names are those of the series."""

    def __init__(
        self,
        *,
        rows: Counter,
        frames: Counter,
        size: Counter,
        acknowledged: Counter,
        latency: Spread,
        freshness: Spread,
    ) -> None:
        self._series = (rows, frames, size, acknowledged)
        self._rows = self._frames = self._size = self._acknowledged = 0
        self._latency = latency
        self._freshness = freshness

    def received(self, rows: int, size: int) -> None:
        """A frame of ``size`` bytes came."""
        self._rows += rows
        self._frames += 1
        self._size += size

    def rows_found(self, rows: int) -> None:
        """So many more rows came in a frame that was counted before."""
        self._rows += rows

    def acknowledged(self, rows: int, frames: int, latency: float) -> None:
        """The brokers have ``rows`` rows of ``frames``, ``latency`` seconds after they came."""
        self._acknowledged += rows
        self._latency.observe(latency, frames)

    def event_lag(self, seconds: float, frames: int) -> None:
        """The last rows of ``frames`` were acknowledged ``seconds`` after their event time."""
        self._freshness.observe(max(0.0, seconds), frames)

    def pour(self) -> None:
        """Add what was counted since the last time to the series."""
        counts = (self._rows, self._frames, self._size, self._acknowledged)
        for series, count in zip(self._series, counts, strict=True):
            series.inc(count)
        self._rows = self._frames = self._size = self._acknowledged = 0
        self._latency.pour()
        self._freshness.pour()
