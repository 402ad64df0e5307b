"""Metrics of a configuration that changes while it runs."""

from __future__ import annotations

from collections.abc import Sequence

from connector.telemetry.metrics import Metrics


class ReloadMetrics:
    """Satisfies reload's `Observer`. ``outcomes`` are all there are: each has a series from the beginning."""

    def __init__(self, metrics: Metrics, outcomes: Sequence[str]) -> None:
        self._metrics = metrics
        metrics.config_reload_failed.set(0)
        for outcome in outcomes:
            metrics.config_reloads.labels(outcome)

    def reloaded(self, outcome: str) -> None:
        """Count it."""
        self._metrics.config_reloads.labels(outcome).inc()

    def rejected(self, alarm: bool) -> None:
        """Raise or clear the alarm."""
        self._metrics.config_reload_failed.set(1.0 if alarm else 0.0)
