"""
Subscriptions of one endpoint and network, of which one probes for all while none of them delivers.

Where all are silent the upstream has most likely nothing to say, and a probe of each would prove nothing but
cost much. Once one delivers, the silence of the others is their own, and each is probed.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from connector.backoff import Steps

PAUSE_FIRST = 60.0
PAUSE_MOST = 3600.0
"""Seconds between two probes: they double from the first to the most, until rows come."""

DELIVERS_WITHIN = 10.0
"""
Seconds: whose last row is not older delivers. That is less than any silence that is beyond a habit, so that
nobody counts as delivering who fell silent together with whoever asks.
"""

ASKS_WITHIN = 30.0
"""Seconds: who has not asked for so long is not waiting any more."""


class Siblings:
    """
    All who are named here stand for one another; moments are seconds of one clock. ``rng`` returns a float in
    [0, 1).
    """

    def __init__(self, *, rng: Callable[[], float] = random.random) -> None:
        self._steps = Steps(first=PAUSE_FIRST, cap=PAUSE_MOST, rng=rng)
        self._next_at = -math.inf
        self._last: tuple[str, float] = ("", -math.inf)
        self._before: tuple[str, float] = ("", -math.inf)
        self._asked_at: dict[str, float] = {}
        self._probed_at: dict[str, float] = {}

    def delivered(self, name: str, now: float) -> None:
        """Rows of ``name`` came: it is no longer silent, and neither are all."""
        if name != self._last[0]:
            self._before = self._last
        self._last = (name, now)
        self._steps.reset()
        self._next_at = -math.inf
        self.forget(name)

    def may_probe(self, name: str, now: float) -> bool:
        """
        Return whether ``name``, which is silent, may be probed now; to be asked again where not.

        While none of the others delivers it is the turn of whoever was probed least recently, one at a time.
        """
        if self._another_delivers(name, now):
            return True
        self._asked_at[name] = now
        if now < self._next_at:
            return False
        waiting = [one for one, asked_at in self._asked_at.items() if now - asked_at <= ASKS_WITHIN]
        return min(waiting, key=lambda one: self._probed_at.get(one, -math.inf)) == name

    def probed(self, name: str, now: float) -> None:
        """A probe of ``name`` begins: before a pause is over there is no other, unless rows come."""
        self._asked_at.pop(name, None)
        self._probed_at[name] = now
        self._next_at = now + self._steps.next()

    def forget(self, name: str) -> None:
        """``name`` is silent no more, or is none of them any more."""
        self._asked_at.pop(name, None)
        self._probed_at.pop(name, None)

    def _another_delivers(self, name: str, now: float) -> bool:
        last = self._before if self._last[0] == name else self._last
        return now - last[1] <= DELIVERS_WITHIN


class Networks:
    """The siblings of each network behind one endpoint; they differ in whose silence is whose."""

    def __init__(self) -> None:
        self._siblings: dict[str, Siblings] = {}

    def siblings(self, network: str) -> Siblings:
        """Return the siblings on ``network``; empty: nothing is known of any."""
        return self._siblings.setdefault(network, Siblings())
