"""
Metrics of one subscription, by role.

The methods that only count are those of the series themselves. What happens with every frame goes into a
tally, which is poured into its series before each rendering.
"""

from __future__ import annotations

from enum import StrEnum

from connector.telemetry.metrics import Metrics, set_one


class SessionMetrics:
    """Satisfies task's `SessionObserver`."""

    def __init__(self, metrics: Metrics, name: str) -> None:
        self._metrics = metrics
        self._name = name
        self._sessions = metrics.sessions_opened.labels(name)
        self._no_data = metrics.no_data_alarm.labels(name)
        self._refused: str | None = None
        self.shed = metrics.sheds.labels(name).inc
        # Whoever bore the name before may have left it raised.
        self._no_data.set(0.0)

    def state(self, state: StrEnum) -> None:
        """Set the series of ``state`` to 1 and those of all other states to 0."""
        set_one(self._metrics.session_state, [one.value for one in type(state)], state.value, self._name)

    def session_opened(self) -> None:
        """Count it."""
        self._sessions.inc()

    def reconnect(self, reason: str) -> None:
        """Count it."""
        self._metrics.reconnects.labels(self._name, reason).inc()

    def rotated(self, outcome: str) -> None:
        """Count it."""
        self._metrics.rotations.labels(self._name, outcome).inc()

    def probed(self, outcome: str) -> None:
        """Count it."""
        self._metrics.probes.labels(self._name, outcome).inc()

    def refused(self, reason: str | None) -> None:
        """Raise the alarm of ``reason``, and clear that of another one."""
        if self._refused is not None and reason != self._refused:
            self._metrics.refused_alarm.labels(self._name, self._refused).set(0.0)
        if reason is not None:
            self._metrics.refused_alarm.labels(self._name, reason).set(1.0)
        self._refused = reason

    def no_data(self, alarm: bool) -> None:
        """Raise or clear the alarm."""
        self._no_data.set(1.0 if alarm else 0.0)


class GapMetrics:
    """Satisfies task's `GapObserver`."""

    def __init__(self, metrics: Metrics, name: str) -> None:
        self._metrics = metrics
        self._name = name
        self._uncovered = metrics.uncovered_seconds.labels(name)
        self._streamed = metrics.stream_seconds.labels(name)
        metrics.gaps.labels(name, "unfilled")

    def uncovered(self, seconds: float) -> None:
        """Count them; clocks may differ by a little, and counters never go back."""
        self._uncovered.inc(max(0.0, seconds))

    def gap(self, outcome: str) -> None:
        """Count it."""
        self._metrics.gaps.labels(self._name, outcome).inc()

    def streamed(self, seconds: float) -> None:
        """Count them, as `uncovered` does."""
        self._streamed.inc(max(0.0, seconds))


class FlowMetrics:
    """Satisfies task's `FlowObserver`."""

    def __init__(self, metrics: Metrics, name: str) -> None:
        tally = metrics.tally(name)
        # Called for every frame, so without a call in between.
        self.received = tally.received
        self.rows_found = tally.rows_found
        self.acknowledged = tally.acknowledged
        self.event_lag = tally.event_lag
        self.full_message = metrics.full_messages.labels(name).inc
        self.result_errors = metrics.result_errors.labels(name).inc
        self.null_result = metrics.null_results.labels(name).inc
        self._keys_missing = metrics.keys_missing.labels(name)
        self._identities_missing = metrics.identities_missing.labels(name)
        self._times_replaced = metrics.timestamps_replaced.labels(name)

    def oddities(self, *, keys_missing: int, identities_missing: int, times_replaced: int) -> None:
        """Count each."""
        self._keys_missing.inc(keys_missing)
        self._identities_missing.inc(identities_missing)
        self._times_replaced.inc(times_replaced)


class RecordMetrics:
    """Satisfies task's `RecordObserver`."""

    def __init__(self, metrics: Metrics, name: str) -> None:
        self._metrics = metrics
        self._name = name

    def record_failed(self, reason: str) -> None:
        """Count it."""
        self._metrics.records_failed.labels(self._name, reason).inc()

    def record_skipped(self, reason: str) -> None:
        """Count it."""
        self._metrics.records_skipped.labels(self._name, reason).inc()

    def dead_lettered(self, reason: str) -> None:
        """Count it."""
        self._metrics.dead_letters.labels(self._name, reason).inc()


class GapEventMetrics:
    """Satisfies publish's `GapEventObserver`, for subscription ``name``."""

    def __init__(self, metrics: Metrics, name: str) -> None:
        self._metrics = metrics
        self._name = name

    def gap_event(self, event: str) -> None:
        """Count it."""
        self._metrics.gap_events.labels(self._name, event).inc()

    def gap_event_not_written(self, reason: str) -> None:
        """Count it."""
        self._metrics.gap_events_not_written.labels(self._name, reason).inc()


class SubscriptionMetrics(SessionMetrics, GapMetrics, FlowMetrics, RecordMetrics):
    """All of them, of subscription ``name``. Satisfies task's `SubscriptionObserver`."""

    def __init__(self, metrics: Metrics, name: str) -> None:
        SessionMetrics.__init__(self, metrics, name)
        GapMetrics.__init__(self, metrics, name)
        FlowMetrics.__init__(self, metrics, name)
        RecordMetrics.__init__(self, metrics, name)
