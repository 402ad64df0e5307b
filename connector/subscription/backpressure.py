"""
Slowing a reader down before it has to shed.

Reading a large message takes a fraction of the time that publishing its rows takes. Who reads as fast as it
can from an upstream that sends as fast as it can would fill any inbox, although Kafka is well.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import anyio

from connector.subscription.memory import MemoryShare

STRIDE = 256 * 1024
"""Bytes that are taken between two looks, at most; with a small budget, or many that share it, less."""

MOST_SLOWED = 64
"""Readers up to which any waits: each may have read a quarter of a megabyte that is not counted yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BackpressurePolicy:
    """
    How long a look may make one wait, in seconds: ``each`` for each session that there is, ``most`` however
    many there are. Nobody waits once there was no acknowledgement of one's own rows for ``standstill``: then
    Kafka counts as standing still.
    """

    each: float = 0.05
    most: float = 0.25
    standstill: float = 0.25


DEFAULT = BackpressurePolicy()


class Backpressure:
    """One reader's; ``memory`` is what it has received and Kafka has not acknowledged."""

    def __init__(self, memory: MemoryShare, policy: BackpressurePolicy = DEFAULT) -> None:
        self._memory = memory
        self._policy = policy
        self._due_at = 0

    @property
    def is_due(self) -> bool:
        """Whether enough was received for another look."""
        return self._memory.taken >= self._due_at

    async def wait_if_ahead(self) -> None:
        """
        Wait while there is more than `MemoryShare.is_ahead` allows: for a moment, and only as long as
        acknowledgements come. For a Kafka that stands still nobody waits.
        """
        memory, policy = self._memory, self._policy
        sharers = memory.sharers
        if sharers > MOST_SLOWED:
            self._due_at = memory.taken + STRIDE
            return
        self._due_at = memory.taken + min(STRIDE, memory.fair_share // 8)
        until = time.monotonic() + min(policy.each * sharers, policy.most)
        while memory.is_ahead:
            left = min(until, memory.released_at + policy.standstill) - time.monotonic()
            if left <= 0.0:
                return
            with anyio.move_on_after(left):
                await memory.wait_for_release()
