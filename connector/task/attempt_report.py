"""What the outside is told of attempts: the subscription's state, its gaps, why it reconnects."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from connector.subscription import SessionError
from connector.task.attempt import Attempt, AttemptEnd
from connector.task.ending import Ending
from connector.task.gap_tracker import GapTracker
from connector.task.observers import SubscriptionObserver
from connector.task.progress import Progress
from connector.task.retry_policy import RetryPolicy
from connector.task.state import State
from connector.task.status import StatusTracker

log = structlog.get_logger(__name__)

OPENING_STATES: Mapping[Progress, State] = {
    Progress.CONNECTING: State.CONNECTING,
    Progress.INITIALISING: State.INITIALISING,
    Progress.SUBSCRIBING: State.SUBSCRIBING,
}
CLOSING_STATES: Mapping[str, State] = {
    "reopen": State.REOPENING,
    "probe": State.REOPENING,
    "shed": State.SHEDDING,
}


class AttemptReport:
    """One subscription's, called ``name``. Satisfies `AttemptEvents`."""

    def __init__(
        self,
        name: str,
        *,
        observer: SubscriptionObserver,
        status: StatusTracker,
        gaps: GapTracker,
        retry: RetryPolicy,
        ending: Ending,
    ) -> None:
        self._name = name
        self._observer = observer
        self._status = status
        self._gaps = gaps
        self._retry = retry
        self._ending = ending

    def reached(self, attempt: Attempt, progress: Progress) -> None:
        """See `AttemptEvents`."""
        if progress in OPENING_STATES:
            self._status.enter(OPENING_STATES[progress])
        elif progress is Progress.LIVE:
            self._live(attempt)
        elif progress >= Progress.PROVEN:
            if self._ending.failure is None:
                self._status.last_error = None
            self._retry.relieved()

    def _live(self, attempt: Attempt) -> None:
        assert attempt.live_since is not None
        self._status.enter(State.LIVE)
        self._observer.session_opened()
        self._gaps.live(attempt.live_since)
        generation = attempt.token.generation if attempt.token else None
        log.info("subscription is live", subscription=self._name, token_generation=generation)

    def closing(self, attempt: Attempt, cause: str) -> None:
        """See `AttemptEvents`."""
        if cause in CLOSING_STATES:
            self._status.enter(CLOSING_STATES[cause])

    def closed(self, attempt: Attempt, cause: str) -> None:
        """See `AttemptEvents`."""
        self._gaps.lost(cause)

    def ended_on_purpose(self, cause: str) -> None:
        """An attempt was closed for ``cause``, and another will be made."""
        self._observer.reconnect(cause)
        self._gaps.lost(cause)
        self._status.enter(CLOSING_STATES.get(cause, State.REOPENING))

    def ended(self, end: AttemptEnd, error: SessionError, reason: str) -> None:
        """An attempt ended with ``error``, which is called ``reason``, and another will be made."""
        self._observer.reconnect(reason)
        self._status.last_error = str(error)
        # A silent one covered nothing since the peer was last heard.
        self._gaps.lost(reason, since=end.last_heard_at if end.live_for and reason == "silent" else None)
        self._status.enter(State.WAITING)
