"""What the rooms tell, turned into metrics and into the body of ``/readyz``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import get_args

from connector.api import ConfigBody, KafkaBody, ReadyBody, SubscriptionBody, TokenBody
from connector.auth import Keeper
from connector.reload import Outcome, Reload
from connector.subscription import MemoryBudget
from connector.task import State, Task
from connector.telemetry import Metrics, Redactor, set_one

TOKEN_STATES = ("none", "valid", "expired", "rejected", "refused")
KAFKA_STATES = ("connecting", "up", "stalled")
SESSION_STATES = tuple(state.value for state in State)


class TokenMetrics:
    """Satisfies auth's `TokenObserver`."""

    def __init__(self, metrics: Metrics, redactor: Redactor) -> None:
        self._metrics = metrics
        self._redactor = redactor

    def fetched(self, outcome: str) -> None:
        """Count a request."""
        self._metrics.token_requests.labels(outcome).inc()

    def token_changed(self, value: str) -> None:
        """Let the redactor know the token before anything can log it."""
        self._redactor.add(value, keep=False)


class KafkaTokenMetrics(TokenMetrics):
    """The same, of tokens for the brokers."""

    def fetched(self, outcome: str) -> None:
        """Count a request."""
        self._metrics.kafka_token_requests.labels(outcome).inc()


class KafkaMetrics:
    """Satisfies publish's `Observer`; ``state`` is the last one heard of."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def kafka_state(self, state: str) -> None:
        """Nothing to count: the worst of all tasks' states is looked at when it is asked for."""

    def producer_rebuilt(self) -> None:
        """Count it."""
        self._metrics.kafka_rebuilds.inc()

    def batch_refused(self, reason: str) -> None:
        """Count it."""
        self._metrics.batches_refused.labels(reason).inc()


class ReloadMetrics:
    """Satisfies reload's `Observer`."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        metrics.config_reload_failed.set(0)
        for outcome in get_args(Outcome):
            metrics.config_reloads.labels(outcome)

    def reloaded(self, outcome: Outcome) -> None:
        """Count it."""
        self._metrics.config_reloads.labels(outcome).inc()

    def rejected(self, alarm: bool) -> None:
        """Raise or clear the alarm."""
        self._metrics.config_reload_failed.set(1.0 if alarm else 0.0)


class SubscriptionMetrics:
    """
    Satisfies task's `SubscriptionObserver`.

    What happens with every frame goes into a tally, which is poured into its series before each rendering.
    """

    def __init__(self, metrics: Metrics, name: str) -> None:
        self._metrics = metrics
        self._name = name
        tally = metrics.tally(name)
        # Called for every frame.
        self.received = tally.received
        self.acknowledged = tally.acknowledged
        self.event_lag = tally.event_lag
        self._uncovered = metrics.uncovered_seconds.labels(name)
        self._streamed = metrics.stream_seconds.labels(name)
        self._sessions = metrics.sessions_opened.labels(name)
        self._no_data = metrics.no_data_alarm.labels(name)
        self._sheds = metrics.sheds.labels(name)
        self._result_errors = metrics.result_errors.labels(name)
        self._null_results = metrics.null_results.labels(name)
        self._full_messages = metrics.full_messages.labels(name)
        self._keys_missing = metrics.keys_missing.labels(name)
        self._times_replaced = metrics.timestamps_replaced.labels(name)
        self._refused: str | None = None
        metrics.gaps.labels(name, "unfilled")
        # Whoever bore the name before may have left it raised.
        self._no_data.set(0.0)

    def state(self, state: State) -> None:
        """See `SubscriptionObserver`."""
        set_one(self._metrics.session_state, SESSION_STATES, state.value, self._name)

    def session_opened(self) -> None:
        """See `SubscriptionObserver`."""
        self._sessions.inc()

    def reconnect(self, reason: str) -> None:
        """See `SubscriptionObserver`."""
        self._metrics.reconnects.labels(self._name, reason).inc()

    def uncovered(self, seconds: float) -> None:
        """See `SubscriptionObserver`."""
        self._uncovered.inc(max(0.0, seconds))

    def gap(self, outcome: str) -> None:
        """See `SubscriptionObserver`."""
        self._metrics.gaps.labels(self._name, outcome).inc()

    def shed(self) -> None:
        """See `SubscriptionObserver`."""
        self._sheds.inc()

    def result_errors(self, count: int) -> None:
        """See `SubscriptionObserver`."""
        self._result_errors.inc(count)

    def null_result(self) -> None:
        """See `SubscriptionObserver`."""
        self._null_results.inc()

    def full_message(self) -> None:
        """See `SubscriptionObserver`."""
        self._full_messages.inc()

    def oddities(self, *, keys_missing: int, times_replaced: int) -> None:
        """See `SubscriptionObserver`."""
        self._keys_missing.inc(keys_missing)
        self._times_replaced.inc(times_replaced)

    def record_failed(self, reason: str) -> None:
        """See `SubscriptionObserver`."""
        self._metrics.records_failed.labels(self._name, reason).inc()

    def record_skipped(self, reason: str) -> None:
        """See `SubscriptionObserver`."""
        self._metrics.records_skipped.labels(self._name, reason).inc()

    def dead_lettered(self, reason: str) -> None:
        """See `SubscriptionObserver`."""
        self._metrics.dead_letters.labels(self._name, reason).inc()

    def streamed(self, seconds: float) -> None:
        """See `SubscriptionObserver`."""
        self._streamed.inc(max(0.0, seconds))

    def refused(self, reason: str | None) -> None:
        """See `SubscriptionObserver`."""
        if self._refused is not None and reason != self._refused:
            self._metrics.refused_alarm.labels(self._name, self._refused).set(0.0)
        if reason is not None:
            self._metrics.refused_alarm.labels(self._name, reason).set(1.0)
        self._refused = reason

    def no_data(self, alarm: bool) -> None:
        """See `SubscriptionObserver`."""
        self._no_data.set(1.0 if alarm else 0.0)


class PublicHealth:
    """
    What ``/readyz`` tells, and what is measured when ``/metrics`` is asked for.

    Ready latches once the brokers of every task have answered: an outage of the upstream, or a later one
    of Kafka, must not fail a roll-out or take the pod's metrics away.
    """

    def __init__(
        self,
        *,
        keeper: Keeper | None,
        tasks: Sequence[Task],
        budget: MemoryBudget,
        reload: Reload,
        kafka_keeper: Keeper | None = None,
    ) -> None:
        self._keeper = keeper
        self._kafka_keeper = kafka_keeper
        self._tasks = tuple(tasks)
        self._budget = budget
        self._reload = reload
        self._latched = False

    def ready(self) -> bool:
        """Return whether it is ready, now and from then on."""
        used = [task for task in self._tasks if task.is_used]
        self._latched = self._latched or all(task.publisher.answered.is_set() for task in used)
        return self._latched

    def body(self) -> ReadyBody:
        """Return how everything stands."""
        return ReadyBody(
            ready=self.ready(),
            token=_token(self._keeper),
            kafka=self._kafka(),
            config=self._config(),
            subscriptions={
                follower.name: SubscriptionBody(
                    state=status.state.value,
                    since=status.since,
                    last_row_at=status.last_row_at,
                    last_error=status.last_error,
                )
                for task in self._tasks
                for follower in task.followers
                for status in (follower.status,)
            },
        )

    def _kafka(self) -> KafkaBody:
        """Return how the worst of the tasks' publishers stands."""
        token = _token(self._kafka_keeper) if self._kafka_keeper is not None else None
        by_state = {task.publisher.state: task.publisher for task in self._tasks if task.is_used}
        for state in ("connecting", "stalled", "up"):
            if state in by_state:
                return KafkaBody(state=state, error=by_state[state].error, token=token)
        return KafkaBody(state="connecting", token=token)

    def _config(self) -> ConfigBody:
        status = self._reload.status
        return ConfigBody(
            state=status.state, last_error=status.last_error, loaded_at=round(status.loaded_at, 3)
        )

    def measure(self, metrics: Metrics) -> None:
        """Bring up to date what is known only by asking."""
        alarm = False
        for keeper, states, expires_in in (
            (self._keeper, metrics.token_state, metrics.token_expires_in),
            (self._kafka_keeper, metrics.kafka_token_state, metrics.kafka_token_expires_in),
        ):
            if keeper is not None:
                status = keeper.status
                alarm = alarm or status.alarm
                set_one(states, TOKEN_STATES, status.state)
                left = status.expires_in_seconds
                expires_in.set(math.nan if left is None else left)
        metrics.token_alarm.set(1.0 if alarm else 0.0)
        set_one(metrics.kafka_state, KAFKA_STATES, self._kafka().state)
        metrics.inbox_bytes.set(self._budget.used)
        metrics.inbox_limit_bytes.set(self._budget.limit)
        for task in self._tasks:
            for follower in task.followers:
                follower.tick()
                last = follower.status.last_row_at
                if last is not None:
                    metrics.last_row_timestamp.labels(follower.name).set(last)


def _token(keeper: Keeper | None) -> TokenBody:
    if keeper is None:
        return TokenBody(state="unused", expires_in_seconds=None, last_error=None)
    status = keeper.status
    left = status.expires_in_seconds
    return TokenBody(
        state=status.state,
        expires_in_seconds=None if left is None else round(left, 3),
        last_error=status.last_error,
    )
