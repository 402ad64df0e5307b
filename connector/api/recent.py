"""An answer that is computed now and then, however often it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Computes by ``make`` at most once in ``seconds`` of ``clock``, and for each ``version`` anew."""

    def __init__(self, make: Callable[[], T], seconds: float, clock: Callable[[], float]) -> None:
        self._make = make
        self._seconds = seconds
        self._clock = clock
        self._made: tuple[float, Hashable, T] | None = None

    def get(self, version: Hashable = None) -> T:
        """Return what was computed last, or compute it; raises what that does, and then keeps nothing."""
        now = self._clock()
        if self._made is not None:
            made_at, made_for, value = self._made
            if made_for == version and now - made_at < self._seconds:
                return value
        value = self._make()
        self._made = (now, version, value)
        return value
