"""What is known of a subscription from outside."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class State(StrEnum):
    """The life of a subscription, seen in metrics, logs and ``/readyz``."""

    TOKEN = "token"  # noqa: S105 - a state's name
    CONNECTING = "connecting"
    INITIALISING = "initialising"
    SUBSCRIBING = "subscribing"
    LIVE = "live"
    REOPENING = "reopening"
    SHEDDING = "shedding"
    WAITING = "waiting"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriptionStatus:
    """Moments are seconds since 1970; ``last_row_at`` and ``last_error`` are ``None`` before the first."""

    state: State
    since: float
    last_row_at: float | None
    last_error: str | None


class SubscriptionObserver(Protocol):
    """What one subscription tells the outside. Nothing here may raise or block; counts are per frame."""

    def state(self, state: State) -> None:
        """It is in ``state`` now."""

    def session_opened(self) -> None:
        """A session was acknowledged and subscribed."""

    def received(self, rows: int, size: int) -> None:
        """A frame of ``size`` bytes with ``rows`` rows came."""

    def acknowledged(self, rows: int, frames: int, latency: float) -> None:
        """The brokers have ``rows`` rows of ``frames``, ``latency`` seconds after they were received."""

    def event_lag(self, seconds: float, frames: int) -> None:
        """The last row of ``frames`` was acknowledged ``seconds`` after its event time."""

    def reconnect(self, reason: str) -> None:
        """A session ended, and another will be opened."""

    def uncovered(self, seconds: float) -> None:
        """``seconds`` more without a session."""

    def gap(self, outcome: str) -> None:
        """A period that was not received is over."""

    def shed(self) -> None:
        """A session was closed because memory ran short."""

    def result_errors(self, count: int) -> None:
        """Results carried ``count`` errors."""

    def null_result(self) -> None:
        """A result had nothing where its rows should be."""

    def full_message(self) -> None:
        """A message had as many rows as the upstream ever sends in one."""

    def oddities(self, *, keys_missing: int, times_replaced: int) -> None:
        """Records without a key, and with another timestamp than their event time."""

    def record_failed(self, reason: str) -> None:
        """A row cannot be published."""

    def record_skipped(self, reason: str) -> None:
        """It was left out, as the configuration wants it."""

    def dead_lettered(self, reason: str) -> None:
        """The brokers have it in the dead-letter topic."""

    def streamed(self, seconds: float) -> None:
        """The upstream bills ``seconds`` more."""

    def refused(self, reason: str | None) -> None:
        """Somebody has to change something, for that reason; ``None``: no more."""

    def no_data(self, alarm: bool) -> None:
        """The session lives but brings no data for too long, or does again."""


class StatusTracker:
    """Holds a subscription's status, and passes changes of state on."""

    def __init__(self, observer: SubscriptionObserver) -> None:
        self._observer: SubscriptionObserver | None = observer
        self._state = State.TOKEN
        self._since = time.time()
        self.last_row_at: float | None = None
        self.last_error: str | None = None
        self.explain: Callable[[], str] | None = None
        """Says what is waited for, for as long as it is set; instead of the last error."""
        observer.state(self._state)

    def enter(self, state: State) -> None:
        """Be in ``state`` from now on."""
        if state is not self._state:
            self._state, self._since = state, time.time()
            if self._observer is not None:
                self._observer.state(state)

    def mute(self) -> None:
        """Tell nobody of what is entered from now on: another one tells of this subscription."""
        self._observer = None

    @staticmethod
    def now() -> float:
        """Seconds since 1970."""
        return time.time()

    @property
    def state(self) -> State:
        """The present state."""
        return self._state

    @property
    def status(self) -> SubscriptionStatus:
        """All of it."""
        return SubscriptionStatus(
            state=self._state,
            since=self._since,
            last_row_at=self.last_row_at,
            last_error=self.explain() if self.explain else self.last_error,
        )
