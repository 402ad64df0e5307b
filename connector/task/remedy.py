"""After a session's end: what is done, and when the next attempt comes."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import anyio
import structlog

from connector.auth import Keeper, Token
from connector.backoff import Backoff, Steps
from connector.refusals import (
    LONGEST_ASKED,
    PACES,
    TOKEN_TOO_OLD,
    Action,
    Refusals,
    RepetitionFilter,
    Symptom,
    Verdict,
    remedy_of,
)
from connector.subscription import SessionError

log = structlog.get_logger(__name__)

HEALTHY_AFTER = 60.0
"""Seconds of life after which a session counts as a success although it brought no data."""

FRESH_FOR = 60.0
"""Seconds: a token asked for so recently is fresh enough for an attempt after a pause."""

SUBPROTOCOL_REFUSED = "subprotocol_refused"
"""The reason, in the table of refusals, of a server that does not speak what it selected."""

_TOKEN_ACTIONS = (Action.NEW_TOKEN, Action.PAUSE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """
    What follows a session's end: the next attempt after ``delay`` seconds.

    Where ``ends_early`` is set, another token ends the wait, but never before ``least`` seconds, which
    the other side asked for. A token older than ``renew_older_than`` seconds is then replaced before the
    attempt; ``None``: none is.
    """

    verdict: Verdict
    delay: float
    least: float = 0.0
    ends_early: bool = False
    renew_older_than: float | None = None


class Remedy:
    """
    One subscription's memory of its failures.

    Waits grow with each failure in a row, at the pace of `PACES`, and are forgotten once data came.
    ``alarm`` is told the reason for which somebody has to change something, and ``None`` once that is
    over.
    """

    def __init__(
        self,
        name: str,
        *,
        refusals: Refusals,
        alarm: Callable[[str | None], None],
        rng: Callable[[], float] = random.random,
    ) -> None:
        self._name = name
        self._refusals = refusals
        self._tell_alarm = alarm
        self._reconnect = Backoff(
            first=PACES[Action.RECONNECT].first, cap=PACES[Action.RECONNECT].cap, rng=rng
        )
        self._steps: dict[Action, Steps] = {
            action: Steps(first=pace.first, cap=pace.cap, rng=rng)
            for action, pace in PACES.items()
            if action is not Action.RECONNECT
        }
        self._in_row = 0
        self._rejected_in_row = 0
        self._said = RepetitionFilter()
        self._alarmed: str | None = None

    def succeeded(self) -> None:
        """Data came: earlier failures are over."""
        self._reconnect.reset()
        for steps in self._steps.values():
            steps.reset()
        self._in_row = self._rejected_in_row = 0
        self._said = RepetitionFilter()
        self.relieved()

    def relieved(self) -> None:
        """A session lasts: nobody has to change anything, though waits may still be those of failures."""
        if self._alarmed is not None:
            self._alarmed = None
            self._tell_alarm(None)

    def after(self, error: SessionError, token: Token | None, keeper: Keeper | None) -> Course:
        """Do what can be done about ``error`` at once; return what follows."""
        self._in_row += 1
        verdict = self._refusals.classify(error.symptom)
        course = self._course(verdict, error, token, keeper)
        self._say(error, course)
        if self._is_lasting(verdict):
            self._alarm(error, course)
        return course

    def _is_lasting(self, verdict: Verdict) -> bool:
        """Whether it takes somebody to change something; a fresh token or the other subprotocol may do."""
        if verdict.action in _TOKEN_ACTIONS:
            return self._rejected_in_row > 1
        return verdict.action is Action.SLOW and (verdict.reason != SUBPROTOCOL_REFUSED or self._in_row > 1)

    async def rest(self, course: Course, token: Token | None, keeper: Keeper | None) -> None:
        """Wait as ``course`` says, and see to a fresh token."""
        if keeper is None or token is None or not course.ends_early:
            await anyio.sleep(course.delay)
            return
        await anyio.sleep(course.least)
        with anyio.move_on_after(course.delay - course.least):
            # A pause is for more than the token: only one that its owner put there is worth an attempt.
            later = None if course.verdict.action is Action.PAUSE else token.generation
            await keeper.news(later)
        if course.renew_older_than is not None:
            await keeper.renew(token.generation, older_than=course.renew_older_than)

    def _course(
        self, verdict: Verdict, error: SessionError, token: Token | None, keeper: Keeper | None
    ) -> Course:
        asked = min(error.retry_after or 0.0, LONGEST_ASKED)
        if verdict.action is Action.RECONNECT:
            return Course(verdict=verdict, delay=self._reconnect.next(at_least=asked))
        if verdict.action not in _TOKEN_ACTIONS:
            return Course(verdict=verdict, delay=self._steps[verdict.action].next(at_least=asked))
        self._rejected_in_row += 1
        if keeper is None or token is None:
            self._rejected_in_row += 1  # there is no fresh one to try
            return Course(verdict=verdict, delay=self._steps[verdict.action].next(at_least=asked))
        return self._fresh_token(verdict, asked, token, keeper)

    def _fresh_token(self, verdict: Verdict, asked: float, token: Token, keeper: Keeper) -> Course:
        """
        Reject the token. The first time a fresh one is tried at once; later this subscription keeps to
        its own pace, and the keeper to that of its fetches.
        """
        is_first = self._rejected_in_row == 1
        if is_first or verdict.action is Action.NEW_TOKEN:
            keeper.reject(token.generation, by=self._name)
        if is_first:
            return Course(verdict=verdict, delay=max(self._reconnect.next() / 4, asked))
        return Course(
            verdict=verdict,
            delay=self._steps[verdict.action].next(at_least=asked),
            least=asked,
            ends_early=True,
            renew_older_than=FRESH_FOR if verdict.action is Action.PAUSE else TOKEN_TOO_OLD,
        )

    def _say(self, error: SessionError, course: Course) -> None:
        """Each kind of end is a warning once in a row of failures; one that is not known is told whole."""
        loud = log.warning if self._said.is_new(error.symptom) else log.debug
        loud(
            "session ended",
            subscription=self._name,
            reason=course.verdict.reason,
            error=str(error),
            action=course.verdict.action.value,
            retry_in_seconds=round(course.delay, 1),
        )
        if not course.verdict.known and self._refusals.is_news(error.symptom):
            log.warning("refusal is not known", subscription=self._name, **_seen(error.symptom))

    def _alarm(self, error: SessionError, course: Course) -> None:
        reason = course.verdict.reason
        if reason == self._alarmed:
            return
        self._alarmed = reason
        self._tell_alarm(reason)
        log.error(
            "refused until something changes",
            subscription=self._name,
            reason=reason,
            error=str(error),
            remedy=remedy_of(reason),
            next_attempt_seconds=round(course.delay, 1),
        )


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
