"""Metrics of what all tasks' publishers do together."""

from __future__ import annotations

from connector.telemetry.metrics import Metrics


class PublisherMetrics:
    """Satisfies publish's `Observer`."""

    def __init__(self, metrics: Metrics) -> None:
        self._refused = metrics.batches_refused
        self._refusals = metrics.kafka_refusals
        self.producer_rebuilt = metrics.kafka_rebuilds.inc

    def kafka_state(self, state: str) -> None:
        """Nothing to count: the worst of all tasks' states is looked at when it is asked for."""

    def kafka_refused(self, code: str) -> None:
        """Count it."""
        self._refusals.labels(code).inc()

    def batch_refused(self, reason: str) -> None:
        """Count it."""
        self._refused.labels(reason).inc()
