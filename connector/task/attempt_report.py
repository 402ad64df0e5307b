"""What the outside is told of attempts: the subscription's state, its gaps, why it reconnects."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from connector.records.seam import Missed
from connector.subscription import SessionError
from connector.task.attempt import Attempt
from connector.task.attempt_end import AttemptEnd
from connector.task.ending import Ending
from connector.task.gap_tracker import GapTracker
from connector.task.observers import SubscriptionObserver
from connector.task.progress import Progress
from connector.task.retry_policy import HEALTHY_AFTER, RetryDecision, RetryPolicy
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
        if progress is Progress.CONNECTING:
            self._status.attempt_begins()
        if progress in OPENING_STATES:
            self._status.enter(OPENING_STATES[progress])
        elif progress is Progress.LIVE:
            self._live(attempt)
        elif progress >= Progress.PROVEN:
            if self._ending.failure is None:
                self._status.relieved()
            self._retry.relieved()

    def _live(self, attempt: Attempt) -> None:
        assert attempt.live_since is not None
        self._status.enter(State.LIVE)
        self._observer.session_opened()
        self._gaps.live(attempt.live_since)
        generation = attempt.token.generation if attempt.token else None
        log.info("subscription is live", subscription=self._name, token_generation=generation)

    def missed(self, missed: Missed, reason: str) -> None:
        """What two sessions brought does not meet."""
        self._gaps.declare(since=missed.since, until=missed.until, reason=reason)

    def took_over(self, attempt: Attempt, outcome: str) -> None:
        """The session of ``attempt`` goes on in the place of one that covered the subscription until now."""
        generation = attempt.token.generation if attempt.token else None
        log.info("session replaced", subscription=self._name, outcome=outcome, token_generation=generation)
        if attempt.progress >= Progress.PROVEN:
            self.reached(attempt, Progress.PROVEN)

    def second(self, *, is_open: bool) -> None:
        """There is a session beside the one that covers the subscription, or no more."""
        self._gaps.sessions(2 if is_open else 1)
        if is_open:
            self._observer.session_opened()

    def rotated(self, outcome: str) -> None:
        """A rotation is over."""
        self._observer.rotated(outcome)

    def goes_on(self, attempt: Attempt) -> None:
        """``attempt``, which nobody was told of yet, is what there is of the subscription now."""
        if attempt.progress in OPENING_STATES or attempt.progress >= Progress.LIVE:
            self.reached(attempt, min(attempt.progress, Progress.LIVE))
        if attempt.progress >= Progress.PROVEN:
            self.reached(attempt, Progress.PROVEN)

    def closing(self, attempt: Attempt, cause: str) -> None:
        """See `AttemptEvents`."""
        if cause in CLOSING_STATES:
            self._status.enter(CLOSING_STATES[cause])

    def closed(self, attempt: Attempt, cause: str) -> None:
        """See `AttemptEvents`."""
        self._gaps.lost(cause, since=attempt.covered_until)

    def over(self, end: AttemptEnd) -> RetryDecision | None:
        """No session is left; return what follows, ``None``: another one at once."""
        if _was_success(end):
            self._retry.succeeded()
        if end.error is None:
            self.ended_on_purpose(end.cause or "stop")
            return None
        decision = self._retry.after(end.error, end.token)
        self.ended(end, end.error, decision.verdict.reason)
        return decision

    def ended_on_purpose(self, cause: str) -> None:
        """An attempt was closed for ``cause``, and another will be made."""
        self._observer.reconnect(cause)
        self._gaps.lost(cause)
        self._status.enter(CLOSING_STATES.get(cause, State.REOPENING))

    def ended(self, end: AttemptEnd, error: SessionError, reason: str) -> None:
        """An attempt ended with ``error``, which is called ``reason``, and another will be made."""
        self._observer.reconnect(reason)
        self._status.last_error = str(error)
        self._gaps.lost(reason, since=_covered_until(end))
        self._status.enter(State.WAITING)


def _was_success(end: AttemptEnd) -> bool:
    if end.progress < Progress.PROVEN:
        return False
    if end.stream_failed:
        # Each of them may bring a row, and then its errors.
        return end.delivered and end.live_for > HEALTHY_AFTER
    return end.delivered or end.live_for > HEALTHY_AFTER


def _covered_until(end: AttemptEnd) -> float:
    """A session that ends covered nothing since it was heard, one that fails since its last row."""
    if end.stream_failed:
        return end.ended_at - end.live_for if end.last_row_at is None else end.last_row_at
    return end.last_heard_at if end.live_for else end.ended_at
