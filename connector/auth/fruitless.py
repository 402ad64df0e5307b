"""Attempts that end without a word of the token, while nobody gets a row with it: is the token dead?"""

from __future__ import annotations

from collections.abc import Callable

FIRST_INTERVAL = 60.0
LONGEST_INTERVAL = 3600.0
"""
Seconds of fruitless attempts after which a fresh token is tried, at first and at most: doubled each time, for
a gateway that fails for hours is no reason to ask for a token each minute.
"""

LASTING_AFTER = 2 * FIRST_INTERVAL
"""Seconds of fruitless attempts after which somebody is told, if a fresh token did not help."""


class FruitlessAttempts:
    """
    Of all who use one keeper's tokens; ``clock`` returns seconds.

    Servers are known that answer a dead token by a Close of 4500, or by nothing at all. Once anybody got
    through it is all forgotten.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began_at: float | None = None  # the first since anybody got through
        self._fresh_at = 0.0  # it, or when a token was last asked for
        self._had_fresh_one = False
        self._interval = FIRST_INTERVAL

    def note(self, *, may_replace: bool) -> bool:
        """Take note of one with the current token; return whether to fetch another, if that may be done."""
        now = self._clock()
        if self._began_at is None:
            self._began_at = self._fresh_at = now
        if not may_replace or now - self._fresh_at < self._interval:
            return False
        self._interval = min(2 * self._interval, LONGEST_INTERVAL)
        self._fresh_at = now
        return True

    def fetched(self) -> None:
        """Take note that the source gave a token, for whatever reason."""
        if self._began_at is not None:
            self._fresh_at = self._clock()
            self._had_fresh_one = True

    def got_through(self) -> None:
        """Take note that the current token was accepted."""
        self._began_at = None
        self._had_fresh_one = False
        self._interval = FIRST_INTERVAL

    @property
    def are_lasting(self) -> bool:
        """Whether they go on although there was a fresh token."""
        if self._began_at is None or not self._had_fresh_one:
            return False
        return self._clock() - self._began_at >= LASTING_AFTER
