"""Rotations simulated: subscriptions that ask, wait and rotate, on a clock that jumps from event to event."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from connector.task.rotation_queue import Decision, RotationQueue, RotationRequest


@dataclass(eq=False, slots=True)
class Asking:
    """
    One subscription that asks ``at`` and, once it may, rotates for ``lasts`` seconds; it gives up at
    ``until``, if that comes first. ``began_at`` is when it was let, ``None``: never.
    """

    request: RotationRequest
    at: float
    lasts: float
    until: float = math.inf
    began_at: float | None = None
    ended_at: float | None = None

    @property
    def reopens(self) -> bool:
        """Whether it was told to reopen."""
        return self.request.decision is Decision.REOPEN

    @property
    def is_late(self) -> bool:
        """Whether it was let too late to be over in time."""
        return self.began_at is not None and self.began_at > self.request.begin_by


@dataclass(slots=True)
class Seen:
    """The most that rotated at once, the most streams, and whoever began beyond the limit."""

    at_once: int = 0
    streams: int = 0
    beyond: list[tuple[float, RotationRequest, list[RotationRequest]]] = field(default_factory=list)


def simulate(queue: RotationQueue, asking: Sequence[Asking], *, parallelism: int) -> Seen:
    """Let all of ``asking`` have their turns."""
    seen, numbers = Seen(), itertools.count()
    events: list[tuple[float, int, Callable[[], None]]] = []
    by_request = {one.request: one for one in asking}
    now = 0.0

    def at(moment: float, act: Callable[[], None]) -> None:
        if moment < math.inf:
            heapq.heappush(events, (moment, next(numbers), act))

    def leave(one: Asking) -> None:
        if one.ended_at is None:
            one.ended_at = now
            queue.leave(one.request)

    def decide() -> None:
        waiting = [one.request for one in asking if one.at <= now and one.request.decision is None]
        for request in queue.decide(now):
            one = by_request[request]
            if request.decision is Decision.REOPEN:
                one.ended_at = now
                continue
            one.began_at = now
            at(now + one.lasts, lambda one=one: leave(one))  # type: ignore[misc]
        begun = [request for request in waiting if request.decision is Decision.OVERLAP]
        if begun and queue.rotating > parallelism:
            seen.beyond.extend((now, request, waiting) for request in begun)
        seen.at_once = max(seen.at_once, queue.rotating)
        seen.streams = max(seen.streams, queue.open_streams)

    for one in asking:
        at(one.at, lambda one=one: queue.ask(one.request))  # type: ignore[misc]
        at(one.until, lambda one=one: leave(one))  # type: ignore[misc]
    while events or queue.next_at() < math.inf:
        due = queue.next_at()
        if not events or due < events[0][0]:
            now = max(now, due)
        else:
            now, _, act = heapq.heappop(events)
            act()
            while events and events[0][0] <= now:
                heapq.heappop(events)[2]()
        decide()
    return seen
