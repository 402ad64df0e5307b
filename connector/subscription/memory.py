"""
The memory for all that was received and is not yet acknowledged, in bytes; whoever takes too much sheds.

A `MemoryBudget` is shared by all subscriptions of a worker and covers everything that was received and is not
yet acknowledged by Kafka. Nothing here waits on the reading side: when the budget runs short, the
largest holder is told to shed. `connector.subscription.backpressure` slows readers down before that.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import anyio

SHED_SHARE = 0.85
"""Of the budget: above it somebody sheds. The rest is for what still comes until the peer's Close."""

RESUME_SHARE = 0.4
"""Of the budget: under it whoever shed may come back, and nobody is slowed down."""


class MemoryShare:
    """
    What one subscription holds of the budget, in bytes: ``taken`` in all, of which it still has ``held``;
    ``released_at`` is when there was a release, in seconds of `time.monotonic`.

    ``shed`` is called when this subscription must close its session; it must not block, and is not
    called again before `resumed`.
    """

    def __init__(self, budget: MemoryBudget, shed: Callable[[], None]) -> None:
        self._budget = budget
        self._shed = shed
        self._told = False
        self._is_closed = False
        self.held = 0
        self.taken = 0
        self.released_at = -math.inf
        self._release: anyio.Event | None = None

    def take(self, size: int) -> None:
        """Count ``size`` bytes more; may tell somebody to shed."""
        self.held += size
        self.taken += size
        budget = self._budget
        used = budget.used = budget.used + size
        # One message that is larger than all the rest together says nothing about Kafka. `is_short` looks at
        # the limit itself, but takes a call, and this is called for every frame.
        is_near = used > budget.limit * SHED_SHARE and used - size >= budget.limit * RESUME_SHARE
        if is_near and budget.is_short:
            budget.shed_largest()

    def release(self, size: int) -> None:
        """Count ``size`` bytes less."""
        self.held -= size
        self.released_at = time.monotonic()
        if self._release is not None:
            self._release.set()
            self._release = None
        if self._is_closed and not self.held:
            self._budget.forget(self)
        self._budget.shrink(size)

    async def wait_for_release(self) -> None:
        """Return once something was released."""
        self._release = self._release or anyio.Event()
        await self._release.wait()

    @property
    def sharers(self) -> int:
        """How many go on, this one included."""
        return max(1, self._budget.going_on)

    @property
    def fair_share(self) -> int:
        """Bytes for each of those, of what may be held before anybody is slowed down."""
        return round(self._budget.limit * RESUME_SHARE) // self.sharers

    @property
    def is_ahead(self) -> bool:
        """Whether more is held than whoever shed waits for, and here more than a fair share of it."""
        return self._budget.is_crowded and self.held > self.fair_share

    def tell_to_shed(self) -> bool:
        """Tell the subscription to shed; return whether it had not been told yet."""
        if self._told:
            return False
        self._told = True
        self._budget.wake()
        self._shed()
        return True

    @property
    def is_shedding(self) -> bool:
        """Whether it was told to shed and did not come back since."""
        return self._told

    def resumed(self) -> None:
        """The subscription may be told again."""
        self._told = False

    def close(self) -> None:
        """
        There is no session any more: nobody is told, and what is held counts, as that of those who were told,
        until it is released.
        """
        self._is_closed = self._told = True
        if not self.held:
            self._budget.forget(self)
        self._budget.wake()


class MemoryBudget:
    """``limit`` bytes for all that was received and not yet acknowledged."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._shares: list[MemoryShare] = []
        self._waiting: list[anyio.Event] = []

    def open(self, shed: Callable[[], None]) -> MemoryShare:
        """Return a new subscription's share."""
        memory = MemoryShare(self, shed)
        self._shares.append(memory)
        return memory

    def forget(self, memory: MemoryShare) -> None:
        """Know nothing of ``memory`` any more."""
        if memory in self._shares:
            self._shares.remove(memory)

    @property
    def is_short(self) -> bool:
        """Whether somebody has to shed: one of those that were not told yet."""
        return self.used > self.limit * SHED_SHARE and self._is_above(SHED_SHARE)

    @property
    def is_crowded(self) -> bool:
        """Whether those who go on hold so much that nobody who shed may come back."""
        return self.used > self.limit * RESUME_SHARE and self._is_above(RESUME_SHARE)

    @property
    def going_on(self) -> int:
        """How many were not told to shed."""
        return sum(not memory.is_shedding for memory in self._shares)

    def _is_above(self, share: float) -> bool:
        """
        Whether those who go on hold more than ``share`` of what is left to them.

        Who was told to shed has no session, or soon none: what he holds is waiting for Kafka, maybe for
        ever where his topic is gone, and must keep nobody else from theirs.
        """
        stuck = sum(memory.held for memory in self._shares if memory.is_shedding)
        return self.used - stuck > (self.limit - stuck) * share

    @property
    def is_full(self) -> bool:
        """Whether the bound is reached: whoever reads on, after its Close was sent, has to wait."""
        return self.used >= self.limit

    def shrink(self, size: int) -> None:
        """Count bytes out, and wake who waits for room."""
        self.used -= size
        self.wake()

    def wake(self) -> None:
        """Let those who wait for room look again."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for event in waiting:
                event.set()

    def shed_largest(self) -> None:
        """Tell the largest holder that was not told yet."""
        for memory in sorted(self._shares, key=lambda one: one.held, reverse=True):
            if memory.held and memory.tell_to_shed():
                return

    async def wait_for_room(self) -> None:
        """Return once the bound is no longer reached."""
        while self.is_full:
            await self._change()

    async def wait_until_uncrowded(self) -> None:
        """Return once those who go on hold so little that whoever shed may come back."""
        while self._is_above(RESUME_SHARE):
            await self._change()

    async def _change(self) -> None:
        event = anyio.Event()
        self._waiting.append(event)
        await event.wait()
