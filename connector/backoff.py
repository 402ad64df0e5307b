"""How long to wait before the next attempt."""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """
    Exponential backoff with full jitter.

    Each call of `next` returns seconds drawn evenly from nothing up to a ceiling that doubles from
    ``first`` to ``cap``. `reset` starts over. ``rng`` returns a float in [0, 1).
    """

    def __init__(self, *, first: float, cap: float, rng: Callable[[], float] = random.random) -> None:
        self._first = first
        self._cap = cap
        self._rng = rng
        self._ceiling = first

    def next(self, *, at_least: float | None = None) -> float:
        """Return the seconds to wait; never under ``at_least`` (``None``: no lower bound)."""
        delay = self._rng() * self._ceiling
        self._ceiling = min(self._ceiling * 2, self._cap)
        return max(delay, at_least or 0.0)

    def reset(self) -> None:
        """Forget earlier failures."""
        self._ceiling = self._first


class Steps:
    """
    Waits that double from ``first`` to ``cap`` seconds, with a little jitter.

    Unlike those of `Backoff` none is shorter than ``first``: a wait is up to a quarter longer than its
    step, and at the cap up to a fifth shorter. ``rng`` returns a float in [0, 1).
    """

    def __init__(self, *, first: float, cap: float, rng: Callable[[], float] = random.random) -> None:
        self._first = first
        self._cap = cap
        self._rng = rng
        self._step = first

    def next(self, *, at_least: float | None = None) -> float:
        """Return the seconds to wait; never under ``at_least`` (``None``: no further bound)."""
        shortest, longest = min(self._step, 0.8 * self._cap), min(1.25 * self._step, self._cap)
        self._step = min(self._step * 2, self._cap)
        return max(shortest + (longest - shortest) * self._rng(), at_least or 0.0)

    def reset(self) -> None:
        """Forget earlier failures."""
        self._step = self._first
