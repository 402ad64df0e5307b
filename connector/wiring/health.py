"""What the rooms know, turned into the body of ``/readyz``, and into metrics when they are asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from connector.api import ConfigBody, KafkaBody, OffsetsBody, ReadyBody, SubscriptionBody, TokenBody
from connector.auth import Keeper
from connector.reload import Reload
from connector.subscription import MemoryBudget
from connector.task import OFFSETS_STATES, Task
from connector.telemetry import Metrics, set_one

TOKEN_STATES = ("none", "valid", "expired", "rejected", "refused")
KAFKA_STATES = ("connecting", "up", "stalled", "refused", "throttled")


class PublicHealth:
    """
    What ``/readyz`` tells, and what is measured when ``/metrics`` is asked for.

    Ready latches once the brokers of every task have answered: an outage of the upstream, or a later one
    of Kafka, must not fail a roll-out or take the pod's metrics away.

    A keeper of ``None``: no token of that kind is used. ``tasks`` returns those that run now.
    """

    def __init__(
        self,
        *,
        keeper: Keeper | None,
        tasks: Callable[[], Sequence[Task]],
        budget: MemoryBudget,
        reload: Reload,
        kafka_keeper: Keeper | None = None,
    ) -> None:
        self._keeper = keeper
        self._kafka_keeper = kafka_keeper
        self._tasks = tasks
        self._budget = budget
        self._reload = reload
        self._latched = False

    def ready(self) -> bool:
        """Return whether it is ready, now and from then on."""
        used = [task for task in self._tasks() if task.is_used]
        self._latched = self._latched or all(task.publisher.answered.is_set() for task in used)
        return self._latched

    def body(self) -> ReadyBody:
        """Return how everything stands."""
        return ReadyBody(
            ready=self.ready(),
            token=_token(self._keeper),
            kafka=self._kafka(),
            config=self._config(),
            offsets=self._offsets(),
            subscriptions={
                runner.name: SubscriptionBody(
                    state=status.state.value,
                    since=status.since,
                    last_row_at=status.last_row_at,
                    last_error=status.last_error,
                )
                for task in self._tasks()
                for runner in task.runners
                for status in (runner.status,)
            },
        )

    def _kafka(self) -> KafkaBody:
        """Return how the worst of the tasks' publishers stands."""
        token = _token(self._kafka_keeper) if self._kafka_keeper is not None else None
        by_state = {task.publisher.state: task.publisher for task in self._tasks() if task.is_used}
        for state in ("connecting", "stalled", "refused", "throttled", "up"):
            if state in by_state:
                return KafkaBody(state=state, error=by_state[state].error, token=token)
        return KafkaBody(state="connecting", token=token)

    def _offsets(self) -> OffsetsBody:
        """Return how the worst of the tasks' stand."""
        by_state = {
            task.offsets.state: task.offsets for task in self._tasks() if task.is_used and task.offsets
        }
        for state in ("not_kept", "reading", "kept"):
            if state in by_state:
                return OffsetsBody(state=state, error=by_state[state].error)
        return OffsetsBody()

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
        set_one(metrics.offsets_state, OFFSETS_STATES, self._offsets().state)
        metrics.topics_not_ready.set(
            sum(task.publisher.topics_not_ready for task in self._tasks() if task.is_used)
        )
        metrics.inbox_bytes.set(self._budget.used)
        metrics.inbox_limit_bytes.set(self._budget.limit)
        for task in self._tasks():
            for runner in task.runners:
                runner.tick()
                last = runner.status.last_row_at
                if last is not None:
                    metrics.last_row_timestamp.labels(runner.name).set(last)


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
