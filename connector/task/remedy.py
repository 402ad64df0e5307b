"""After a session's end: what is done, and when the next attempt comes."""

from __future__ import annotations

import random
from collections.abc import Callable

import structlog

from connector.auth import Keeper, Token
from connector.backoff import Backoff
from connector.refusals import Action, Verdict, classify
from connector.subscription import SessionError

log = structlog.get_logger(__name__)

HEALTHY_AFTER = 60.0
"""Seconds of life after which a session counts as a success although it brought no data."""


class Remedy:
    """
    One subscription's memory of its failures.

    Waits grow with each failure in a row and are forgotten once data came: next to nothing to half a minute
    where the other side may be back at any time, five seconds to a minute where it asked for patience,
    half a minute to ten where the document or the URL is at fault, minutes to half an hour where points or
    plan are used up. What the wait for a fresh token is, the keeper knows.
    """

    def __init__(self, name: str, rng: Callable[[], float] = random.random) -> None:
        self._name = name
        self._reconnect = Backoff(first=0.2, cap=30.0, rng=rng)
        self._wait = Backoff(first=5.0, cap=60.0, rng=lambda: 0.5 + rng() / 2)
        self._slow = Backoff(first=30.0, cap=600.0, rng=lambda: 0.5 + rng() / 2)
        self._pause = Backoff(first=300.0, cap=1800.0, rng=lambda: 0.5 + rng() / 2)
        self._rejected_in_row = 0
        self._said: str | None = None

    def succeeded(self) -> None:
        """Data came: earlier failures are over."""
        self._reconnect.reset()
        self._wait.reset()
        self._slow.reset()
        self._pause.reset()
        self._rejected_in_row = 0
        self._said = None

    def after(self, error: SessionError, token: Token | None, keeper: Keeper | None) -> tuple[Verdict, float]:
        """Do what can be done about ``error`` at once; return the verdict and the seconds to wait."""
        verdict = classify(error.symptom)
        delay = self._delay(verdict, error, token, keeper)
        said = str(error)
        loud = log.warning if said != self._said else log.debug
        self._said = said
        loud(
            "session ended",
            subscription=self._name,
            reason=verdict.reason,
            error=said,
            action=verdict.action.value,
            retry_in_seconds=round(delay, 1),
        )
        if not verdict.known:
            log.warning("refusal is not known", subscription=self._name, symptom=repr(error.symptom)[:500])
        return verdict, delay

    def _delay(
        self, verdict: Verdict, error: SessionError, token: Token | None, keeper: Keeper | None
    ) -> float:
        asked = error.retry_after
        match verdict.action:
            case Action.NEW_TOKEN | Action.PAUSE:
                return self._fresh_token(verdict, asked, token, keeper)
            case Action.WAIT:
                return self._wait.next(at_least=asked)
            case Action.SLOW:
                return self._slow.next(at_least=asked)
            case _:
                return self._reconnect.next(at_least=asked)

    def _fresh_token(
        self, verdict: Verdict, asked: float | None, token: Token | None, keeper: Keeper | None
    ) -> float:
        """Reject the token; the first time a fresh one is tried at once, later the keeper sets the pace."""
        if keeper is None or token is None:
            return self._slow.next(at_least=asked)
        self._rejected_in_row += 1
        again = self._rejected_in_row > 1
        if verdict.action is Action.PAUSE and again:
            log.error("upstream refuses for lack of points or plan", subscription=self._name)
            return self._pause.next(at_least=asked)
        keeper.reject(token.generation)
        return self._wait.next(at_least=asked) if again else max(self._reconnect.next() / 4, asked or 0.0)
