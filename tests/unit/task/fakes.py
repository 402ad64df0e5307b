"""An observer that remembers what it was told."""

from connector.task import State


class Told:
    """Satisfies `SubscriptionObserver`; sums what is counted, lists what is said."""

    def __init__(self) -> None:
        self.states: list[State] = []
        self.uncovered_seconds = 0.0
        self.streamed_seconds = 0.0
        self.gaps: list[str] = []
        self.reconnects: list[str] = []
        self.rows_received = 0
        self.rows_acknowledged = 0
        self.sessions = 0
        self.sheds = 0
        self.errors = 0
        self.nulls = 0
        self.full = 0
        self.failed: list[str] = []
        self.alarms: list[bool] = []

    def state(self, state: State) -> None:
        self.states.append(state)

    def session_opened(self) -> None:
        self.sessions += 1

    def received(self, rows: int, size: int) -> None:
        self.rows_received += rows

    def acknowledged(self, rows: int, latency: float) -> None:
        self.rows_acknowledged += rows

    def event_lag(self, seconds: float) -> None:
        pass

    def reconnect(self, reason: str) -> None:
        self.reconnects.append(reason)

    def uncovered(self, seconds: float) -> None:
        self.uncovered_seconds += seconds

    def gap(self, outcome: str) -> None:
        self.gaps.append(outcome)

    def shed(self) -> None:
        self.sheds += 1

    def result_errors(self, count: int) -> None:
        self.errors += count

    def null_result(self) -> None:
        self.nulls += 1

    def full_message(self) -> None:
        self.full += 1

    def oddities(self, *, keys_missing: int, times_replaced: int) -> None:
        pass

    def record_failed(self, reason: str) -> None:
        self.failed.append(reason)

    def streamed(self, seconds: float) -> None:
        self.streamed_seconds += seconds

    def no_data(self, alarm: bool) -> None:
        self.alarms.append(alarm)
