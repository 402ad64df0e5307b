"""
Slowing a reader down before it has to shed.

Reading a large message takes a fraction of the time that publishing its rows takes. Who reads as fast as it
can from an upstream that sends as fast as it can would fill any inbox, although Kafka is well.
"""

from __future__ import annotations

import time

import anyio

from connector.subscription.memory import MemoryShare

STRIDE = 256 * 1024
"""Bytes that are taken between two checks, at most; with a small budget, or many that share it, less."""

SLOWDOWN = 0.05
"""Seconds that a check may make one wait, for each session that there is."""

LONGEST_SLOWDOWN = 0.25
"""Seconds that it may make one wait, however many there are."""

MOST_SLOWED = 64
"""Readers up to which any waits: each may have read a quarter of a megabyte that is not counted yet."""

STANDSTILL = 0.25
"""Seconds without an acknowledgement of one's own rows after which Kafka counts as standing still."""


class Backpressure:
    """For one reader; ``memory`` is what it has received and Kafka has not acknowledged."""

    def __init__(self, memory: MemoryShare) -> None:
        self._memory = memory
        self._due_at = 0

    @property
    def is_due(self) -> bool:
        """Whether enough was received for another check."""
        return self._memory.taken >= self._due_at

    async def wait_if_ahead(self) -> None:
        """
        Wait while there is more than `MemoryShare.is_ahead` allows: for a moment, and only as long as
        acknowledgements come. For a Kafka that stands still nobody waits.
        """
        memory = self._memory
        sharers = memory.sharers
        if sharers > MOST_SLOWED:
            self._due_at = memory.taken + STRIDE
            return
        self._due_at = memory.taken + min(STRIDE, memory.fair_share // 8)
        until = time.monotonic() + min(SLOWDOWN * sharers, LONGEST_SLOWDOWN)
        while memory.is_ahead:
            left = min(until, memory.released_at + STANDSTILL) - time.monotonic()
            if left <= 0.0:
                return
            with anyio.move_on_after(left):
                await memory.wait_for_release()
