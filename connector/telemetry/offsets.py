"""Metrics of source offsets."""

from __future__ import annotations

from connector.telemetry.metrics import Metrics


class OffsetsMetrics:
    """Satisfies task's `OffsetsObserver`."""

    def __init__(self, metrics: Metrics) -> None:
        self._covered_until = metrics.covered_until
        self.offsets_written = metrics.offsets_written.inc
        self.offsets_failed = metrics.offsets_failed.inc

    def covered(self, subscription: str, until: float) -> None:
        """Set it."""
        self._covered_until.labels(subscription).set(until)
