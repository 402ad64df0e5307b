"""After a failed attempt: what is done, and when the next one comes."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

import anyio

from connector.auth import Token
from connector.backoff import Backoff, Steps
from connector.refusals import LONGEST_ASKED, PACES, TOKEN_TOO_OLD, Action, Refusals, Verdict
from connector.subscription import SessionError
from connector.task.failure_log import FailureLog
from connector.task.token_keeper import TokenKeeper

HEALTHY_AFTER = 60.0
"""Seconds of life after which a session counts as a success although it brought no data."""

FRESH_FOR = 60.0
"""Seconds: a token asked for so recently is fresh enough for an attempt after a pause."""

HANDSHAKE_REFUSED = "handshake_refused"
"""The reason of an HTTP answer that fits nothing else."""

SUBPROTOCOL_REFUSED = "subprotocol_refused"
"""The reason, in the table of refusals, of a server that does not speak what it selected."""

_TOKEN_ACTIONS = (Action.NEW_TOKEN, Action.PAUSE)

FRUITLESS = (
    "sessions end before they bring anything, with a fresh token too: look at the upstream and at what \
stands between here and there, then check the account's rights and endpoint.url"
)
"""What is to be done about the alarm of ends that say nothing of the token, and do not end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryDecision:
    """
    What follows a failed attempt: the next one after ``delay`` seconds.

    ``token`` is the one that it was made with; ``None``: it had none, or nobody keeps it. Where
    ``ends_early`` is set, another token ends the wait, but never before ``least`` seconds, which the other
    side asked for. A token older than ``renew_older_than`` seconds is then replaced before the attempt;
    ``None``: none is.
    """

    verdict: Verdict
    delay: float
    token: Token | None = None
    least: float = 0.0
    ends_early: bool = False
    renew_older_than: float | None = None


class RetryPolicy:
    """
    One subscription's memory of its failures.

    Waits grow with each failure in a row, at the pace of `PACES`, and are forgotten once data came.
    ``keeper`` is told of tokens that were refused (``None``: there are none). ``alarm``: see `FailureLog`.
    """

    def __init__(
        self,
        name: str,
        *,
        refusals: Refusals,
        keeper: TokenKeeper | None,
        alarm: Callable[[str | None], None],
        rng: Callable[[], float] = random.random,
    ) -> None:
        self._name = name
        self._refusals = refusals
        self._keeper = keeper
        self._log = FailureLog(name, refusals=refusals, alarm=alarm)
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

    def succeeded(self) -> None:
        """Data came: earlier failures are over."""
        self._reconnect.reset()
        for steps in self._steps.values():
            steps.reset()
        self._in_row = self._rejected_in_row = 0
        self._log.succeeded()

    def relieved(self) -> None:
        """
        A session lasts: nobody has to change anything, though waits may still be those of failures. Where
        attempts are fruitless, one that lasts for seconds and brings nothing is no relief.
        """
        if not self._helpless:
            self._log.relieved()

    def after(self, error: SessionError, token: Token | None) -> RetryDecision:
        """Do what can be done at once about ``error``, met with ``token``; return what follows."""
        self._in_row += 1
        verdict = self._refusals.classify(error.symptom)
        decision = self._decide(verdict, error, token)
        may_be_of_token = _may_be_of_token(verdict, error)
        if may_be_of_token:
            decision = self._doubt(decision, token)
        self._log.say(error, verdict, decision.delay)
        if self._is_lasting(verdict):
            self._log.alarm(error, verdict, decision.delay)
        elif may_be_of_token and self._in_row > 1 and self._helpless:
            self._log.alarm(error, verdict, decision.delay, remedy=FRUITLESS)
        return decision

    @property
    def _helpless(self) -> bool:
        return self._keeper is not None and self._keeper.fresh_tokens_do_not_help

    def _doubt(self, decision: RetryDecision, token: Token | None) -> RetryDecision:
        """A dead token may be refused without a word: where another one is fetched, it ends the wait."""
        if self._keeper is None or token is None or not self._keeper.fruitless(token.generation):
            return decision
        return replace(decision, token=token, ends_early=True)

    def _is_lasting(self, verdict: Verdict) -> bool:
        """Whether it takes somebody to change something; a fresh token or the other subprotocol may do."""
        if verdict.action in _TOKEN_ACTIONS:
            return self._rejected_in_row > 1
        return verdict.action is Action.SLOW and (verdict.reason != SUBPROTOCOL_REFUSED or self._in_row > 1)

    async def rest(self, decision: RetryDecision) -> None:
        """Wait as ``decision`` says, and see to a fresh token."""
        keeper, token = self._keeper, decision.token
        if keeper is None or token is None or not decision.ends_early:
            await anyio.sleep(decision.delay)
            return
        await anyio.sleep(decision.least)
        with anyio.move_on_after(decision.delay - decision.least):
            # A pause is for more than the token: only one that its owner put there is worth an attempt.
            later = None if decision.verdict.action is Action.PAUSE else token.generation
            await keeper.news(later)
        if decision.renew_older_than is not None:
            await keeper.renew(token.generation, older_than=decision.renew_older_than)

    def _decide(self, verdict: Verdict, error: SessionError, token: Token | None) -> RetryDecision:
        asked = min(error.retry_after or 0.0, LONGEST_ASKED)
        if verdict.action is Action.RECONNECT:
            delay = self._reconnect.next(at_least=asked)
            return RetryDecision(verdict=verdict, delay=delay, least=asked)
        if verdict.action not in _TOKEN_ACTIONS:
            delay = self._steps[verdict.action].next(at_least=asked)
            return RetryDecision(verdict=verdict, delay=delay, least=asked)
        self._rejected_in_row += 1
        if self._keeper is None or token is None:
            self._rejected_in_row += 1  # there is no fresh one to try
            return RetryDecision(verdict=verdict, delay=self._steps[verdict.action].next(at_least=asked))
        return self._fresh_token(verdict, asked, token, self._keeper)

    def _fresh_token(
        self, verdict: Verdict, asked: float, token: Token, keeper: TokenKeeper
    ) -> RetryDecision:
        """
        Reject the token. The first time a fresh one is tried at once; later this subscription keeps to
        its own pace, and the keeper to that of its fetches.
        """
        is_first = self._rejected_in_row == 1
        if is_first or verdict.action is Action.NEW_TOKEN:
            keeper.reject(token.generation, by=self._name)
        if is_first:
            return RetryDecision(verdict=verdict, token=token, delay=max(self._reconnect.next() / 4, asked))
        return RetryDecision(
            verdict=verdict,
            token=token,
            delay=self._steps[verdict.action].next(at_least=asked),
            least=asked,
            ends_early=True,
            renew_older_than=FRESH_FOR if verdict.action is Action.PAUSE else TOKEN_TOO_OLD,
        )


def _may_be_of_token(verdict: Verdict, error: SessionError) -> bool:
    """Whether the end may be a dead token's, although nothing was said of it."""
    if verdict.action in _TOKEN_ACTIONS or not error.token_was_seen:
        return False
    return verdict.action is Action.RECONNECT or not verdict.known or verdict.reason == HANDSHAKE_REFUSED
