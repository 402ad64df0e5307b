"""When the next token is fetched, and what for."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

from connector.auth.schedule import LEAST_APART, refresh_at
from connector.auth.timer import Timer


class FetchPlan:
    """
    Of one keeper; ``clock`` returns seconds, ``sleep`` waits for seconds of it.

    ``is_replacing``: a fetch comes now, since the token may be no good. ``has_waited``: the coming fetch
    comes after a wait, so that the same token may serve again. ``lead`` tells how many seconds before the end
    of a token that lives so many the next one is needed; it may be sooner.
    """

    def __init__(self, *, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> None:
        self._clock = clock
        self._timer = Timer(clock=clock, sleep=sleep)
        self._refresh_at = math.inf  # what the token's life asks for
        self._hurried_at = -math.inf  # when a first rejection last led to a fetch
        self.is_replacing = False
        self.has_waited = False
        self.lead: Callable[[float], float] = lambda life: 0.0

    async def due(self) -> None:
        """Wait until a fetch is due."""
        await self._timer.wait()

    @property
    def seconds_left(self) -> float:
        """Until the next fetch."""
        return self._timer.seconds_left

    def replace_now(self) -> None:
        """Fetch another token at once."""
        self.is_replacing = True
        # A token may be accepted and rejected in turn, many times a second.
        self._hurried_at = max(self._clock(), self._hurried_at + LEAST_APART)
        self._timer.move(self._hurried_at)

    def replace_in(self, wait: float) -> None:
        """Fetch another one after so many seconds; at once where there are none."""
        if wait > 0:
            self.has_waited = True
            self.fetch_in(wait)
        else:
            self.replace_now()

    def fetch_in(self, wait: float) -> None:
        """Fetch after so many seconds, whatever was planned."""
        self._timer.move(self._clock() + wait)

    def obtained(self, *, asked_at: float, life: float | None, rng: Callable[[], float]) -> None:
        """There is another token, which was asked for then, and is followed by the next in time."""
        needed = self.lead(life) if life is not None else 0.0
        self._refresh(refresh_at(asked_at=asked_at, now=self._clock(), life=life, rng=rng, needed=needed))

    def refresh_sooner(self, *, asked_at: float, life: float | None) -> None:
        """That one may be needed sooner than was planned, for ``lead`` is another one."""
        if life is not None:
            moment = asked_at + max(life - self.lead(life), LEAST_APART)
            self._refresh(min(moment, self._refresh_at))

    def _refresh(self, moment: float) -> None:
        self.has_waited = False
        self._refresh_at = moment
        self._timer.move(moment)

    def no_replacement(self) -> None:
        """The token is good after all: one that is waited for is not needed before its life asks for it."""
        if self.has_waited:
            self._refresh(self._refresh_at)
