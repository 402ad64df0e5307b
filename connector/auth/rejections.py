"""Who rejected the current token, and when that asks for another one."""

from __future__ import annotations

import math
from collections.abc import Callable

from connector.auth.feedback import TokenFeedback
from connector.backoff import Steps

#: Seconds to wait before another token is tried where fresh ones are rejected, at first and at most.
_FIRST_WAIT = 5.0
_LONGEST_WAIT = 300.0

#: A token that was accepted and is then rejected is replaced at once so often, and once more for every so
#: many seconds that pass; beyond that there is a wait, of up to so many seconds.
AT_ONCE = 5
AT_ONCE_EVERY = 30.0


class Rejections:
    """``clock`` returns seconds; ``rng`` a float in [0, 1)."""

    def __init__(self, *, clock: Callable[[], float], rng: Callable[[], float]) -> None:
        self._clock = clock
        self._waits = Steps(first=_FIRST_WAIT, cap=_LONGEST_WAIT, rng=rng)
        self._by: set[str] = set()
        self._feedback = TokenFeedback()
        self._was_accepted = False  # a token, since the last rejection that counted
        self._credit = float(AT_ONCE)
        self._credited_at = clock()
        self.in_row = 0
        self.last_generation = 0

    def __contains__(self, by: str) -> bool:
        return by in self._by

    def __bool__(self) -> bool:
        return bool(self._by)

    def note(self, by: str, generation: int, *, current: int) -> Callable[[], float | None] | None:
        """
        Take note that ``by`` had this generation rejected.

        Returns ``None`` if that says nothing of the ``current`` generation, or nothing new; else what to
        call where another token is to be planned for it: it returns the seconds until that may be
        fetched, ``None`` where none is to be.
        """
        is_first = self._feedback.rejected(by, generation)
        if generation != current or by in self._by:
            return None
        self._by.add(by)
        self.last_generation = generation
        return lambda: self._seconds_to_next(by, is_first=is_first)

    def _seconds_to_next(self, by: str, *, is_first: bool) -> float | None:
        now = self._clock()
        was_accepted, self._was_accepted = self._was_accepted, False
        if self._feedback.others_are_content(by):
            self.in_row = 1
            # Not for one that a fresh token did not help: the credentials as such are good.
            return self._feedback.spacing(by, now) if is_first else None
        until_credit = self._until_credit(now) if was_accepted or not self.in_row else math.inf
        if until_credit == 0.0:
            self.in_row = 1
            if self._credit >= 1:  # not where each token is accepted for a moment only
                self._waits.reset()
            return 0.0
        self.in_row += 1
        wait = self._waits.next()
        if until_credit < wait:
            # What is waited for is used then.
            self._credit, self._credited_at = 0.0, now + until_credit
        return min(wait, until_credit)

    def _until_credit(self, now: float) -> float:
        """Return the seconds until another token may be had at once, which counts as one that was."""
        self._credit = min(self._credit + (now - self._credited_at) / AT_ONCE_EVERY, float(AT_ONCE))
        self._credited_at = now
        if self._credit < 1:
            return (1 - self._credit) * AT_ONCE_EVERY
        self._credit -= 1
        return 0.0

    def wait(self) -> float:
        """Return the seconds after which a token that a source gave again may be tried again."""
        return self._waits.next()

    def accepted(self, by: str, generation: int) -> bool:
        """
        Take note that ``by`` had this generation accepted; return whether that speaks for the tokens
        since the last rejection.
        """
        if not self._feedback.accepted(by, generation) or generation < self.last_generation:
            return False
        self._was_accepted = True
        return True

    def withdraw(self, by: str) -> None:
        """The current token was accepted from ``by`` after all, or ``by`` has ended."""
        self._by.discard(by)

    def start_over(self) -> None:
        """The source has another token: what was in a row is not any more."""
        self.in_row = 0
        self._waits.reset()

    def clear(self) -> None:
        """Another token is the current one."""
        self._by.clear()

    def forget(self, by: str) -> None:
        """Count ``by`` no more."""
        self._feedback.forget(by)
        self.withdraw(by)

    def withholds_from(self, by: str) -> bool:
        """Return whether ``by`` is not to have the current token again."""
        return by in self._by and not self._feedback.others_are_content(by)

    @property
    def blame_the_token(self) -> bool:
        """Whether the current token is at fault, and not whoever rejected it."""
        return bool(self._by) and not self._feedback.anyone_is_content()

    @property
    def are_repeated(self) -> bool:
        """Whether fresh tokens are rejected, from everyone."""
        return self.in_row > 1 and not self._was_accepted and not self._feedback.anyone_is_content()
