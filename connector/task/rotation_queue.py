"""
Who may open a second session next.

One expiry goes before another whose token ends later, and every expiry before a probe. So many rotate at once
as there may; more only where a token would end before its turn, and never more than the plan has streams for.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto


class Decision(Enum):
    """What came of a request."""

    OVERLAP = auto()
    """A second session may be opened."""
    REOPEN = auto()
    """None may, for there is no room in the plan, or not in time."""


@dataclass(eq=False, slots=True)
class RotationRequest:
    """
    One subscription's, whose document takes ``streams``. Begun later than ``begin_by``, a moment in seconds,
    it is over too late; infinity: there is no hurry. It ``takes`` so many seconds. ``is_quiet``: rows are not
    expected soon. ``called`` is called once it is one of the next, so that it may prepare; in any case before
    it is let in. ``decision`` is ``None`` as long as it waits.
    """

    streams: int
    begin_by: float = math.inf
    takes: float = 0.0
    is_probe: bool = False
    is_quiet: bool = False
    called: Callable[[], None] = lambda: None
    is_called: bool = False
    decision: Decision | None = None
    order: tuple[bool, float, bool, int] = field(default=(False, 0.0, False, 0), init=False)


class RotationQueue:
    """
    ``parallelism`` may rotate at once. ``cap`` is how many streams may be open, ``None``: not known.

    ``streams`` are those that are open while nothing is rotated. Whatever is changed, `decide` follows.
    """

    def __init__(self, *, parallelism: int, cap: int | None = None) -> None:
        self._parallelism = parallelism
        self.cap = cap
        self._numbers = itertools.count()
        self._waiting: list[RotationRequest] = []  # in order
        self._rotating: set[RotationRequest] = set()
        self.streams = 0

    @property
    def rotating(self) -> int:
        """How many subscriptions may have two sessions now."""
        return len(self._rotating)

    @property
    def open_streams(self) -> int:
        """How many streams are open, those of rotations counted twice."""
        return self.streams + sum(request.streams for request in self._rotating)

    @property
    def first(self) -> RotationRequest | None:
        """Whose turn is next."""
        return self._waiting[0] if self._waiting else None

    def ask(self, request: RotationRequest) -> None:
        """Put ``request`` into the queue."""
        request.order = (request.is_probe, request.begin_by, request.is_quiet, next(self._numbers))
        bisect.insort(self._waiting, request, key=lambda one: one.order)

    def leave(self, request: RotationRequest) -> None:
        """``request`` waits no more, or has ended; told again, it does nothing."""
        self._rotating.discard(request)
        if request in self._waiting:
            self._waiting.remove(request)

    def decide(self, now: float) -> list[RotationRequest]:
        """Return those that are decided now."""
        decided = [request for request in self._waiting if not self._may_ever(request)]
        for request in decided:
            self._take_out(request, Decision.REOPEN)
        while (first := self.first) is not None and self._may(first, now):
            _call(first)
            self._take_out(first, Decision.OVERLAP)
            self._rotating.add(first)
            decided.append(first)
        # Whoever is due and still waits has no room: it is reopened while that can be done in time.
        late = [request for request in self._waiting if now >= request.begin_by]
        for request in late:
            self._take_out(request, Decision.REOPEN)
        for request in self._waiting[: self._parallelism]:
            _call(request)
        return decided + late

    def next_at(self) -> float:
        """Return the moment of the next `decide`, if nothing is changed before; infinity: there is none."""
        first = self.first
        if first is None:
            return math.inf
        if not self._has_room(first):
            return min(request.begin_by for request in self._waiting)
        return self._due_at()

    def _take_out(self, request: RotationRequest, decision: Decision) -> None:
        self._waiting.remove(request)
        request.decision = decision

    def _may_ever(self, request: RotationRequest) -> bool:
        return self.cap is None or self.streams + request.streams <= self.cap

    def _has_room(self, request: RotationRequest) -> bool:
        return self.cap is None or self.open_streams + request.streams <= self.cap

    def _may(self, request: RotationRequest, now: float) -> bool:
        if not self._has_room(request):
            return False
        return self.rotating < self._parallelism or now >= self._due_at()

    def _due_at(self) -> float:
        """When more have to rotate at once than do or may, or one of those that wait begins too late."""
        at_once = max(self._parallelism, self.rotating)
        return min(
            # It may wait for as many rounds as it takes until those before it have had their turn.
            request.begin_by - (place // at_once) * request.takes
            for place, request in enumerate(self._waiting)
        )


def _call(request: RotationRequest) -> None:
    if not request.is_called:
        request.is_called = True
        request.called()
