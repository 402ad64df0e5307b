"""What is said of failures: a line for each kind, and an alarm where somebody has to change something."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from connector.refusals import Refusals, RepetitionFilter, Symptom, Verdict
from connector.subscription import SessionError

log = structlog.get_logger(__name__)


class FailureLog:
    """
    One subscription's. ``alarm`` is told the reason for which somebody has to change something, and
    ``None`` once that is over.
    """

    def __init__(self, name: str, *, refusals: Refusals, alarm: Callable[[str | None], None]) -> None:
        self._name = name
        self._refusals = refusals
        self._tell_alarm = alarm
        self._said = RepetitionFilter()
        self._alarmed: str | None = None

    def say(self, error: SessionError, verdict: Verdict, delay: float) -> None:
        """
        Tell of a session's end, after which the next attempt comes in ``delay`` seconds.

        Each kind of end is a warning once in a row of failures; one that is not known is told whole.
        """
        loud = log.warning if self._said.is_new(error.symptom) else log.debug
        loud(
            "session ended",
            subscription=self._name,
            reason=verdict.reason,
            error=str(error),
            action=verdict.action.value,
            retry_in_seconds=round(delay, 1),
        )
        if not verdict.known and self._refusals.is_news(error.symptom):
            log.warning("refusal is not known", subscription=self._name, **_seen(error.symptom))

    def alarm(self, error: SessionError, verdict: Verdict, delay: float, *, remedy: str = "") -> None:
        """
        Raise the alarm, unless it is raised for the same reason already. ``remedy`` is what there is to be
        done, where the reason alone does not say it.
        """
        reason = verdict.reason
        if reason == self._alarmed:
            return
        self._alarmed = reason
        self._tell_alarm(reason)
        log.error(
            "refused until something changes",
            subscription=self._name,
            reason=reason,
            error=str(error),
            remedy=remedy or self._refusals.remedy_of(reason),
            next_attempt_seconds=round(delay, 1),
        )

    def relieved(self) -> None:
        """Nobody has to change anything any more."""
        if self._alarmed is not None:
            self._alarmed = None
            self._tell_alarm(None)

    def succeeded(self) -> None:
        """Failures are over; of the next ones each kind is a warning again."""
        self._said = RepetitionFilter()
        self.relieved()


def _seen(symptom: Symptom) -> dict[str, object]:
    """All that is known of a refusal, for a rule to be written for it."""
    facts = {
        "place": symptom.place,
        "status": symptom.status,
        "close_code": symptom.close_code,
        "error_codes": list(symptom.error_codes),
        "texts": list(symptom.texts[:3]),
    }
    return {name: value for name, value in facts.items() if value not in (None, [])}
