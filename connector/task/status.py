"""What is known of a subscription from outside."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from connector.task.observers import SessionObserver
from connector.task.state import State


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriptionStatus:
    """Moments are seconds since 1970; ``last_row_at`` and ``last_error`` are ``None`` before the first."""

    state: State
    since: float
    last_row_at: float | None
    last_error: str | None


class StatusTracker:
    """Holds a subscription's status, and passes changes of state on."""

    def __init__(self, observer: SessionObserver) -> None:
        self._observer: SessionObserver | None = observer
        self._state = State.TOKEN
        self._since = self.now()
        self.last_row_at: float | None = None
        self.last_error: str | None = None
        self._is_of_row = False
        self.explain: Callable[[], str] | None = None
        """Says what is waited for, for as long as it is set; instead of the last error."""
        observer.state(self._state)

    def enter(self, state: State) -> None:
        """Be in ``state`` from now on."""
        if state is not self._state:
            self._state, self._since = state, self.now()
            if self._observer is not None:
                self._observer.state(state)

    def row_failed(self, error: str) -> None:
        """A row cannot be published; that the session which brought it lasts is no relief of it."""
        self.last_error = error
        self._is_of_row = True

    def attempt_begins(self) -> None:
        """Whatever was wrong before may be better after it."""
        self._is_of_row = False

    def relieved(self) -> None:
        """A session lasts: what was wrong with those before it is over."""
        if not self._is_of_row:
            self.last_error = None

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
