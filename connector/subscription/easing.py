"""
Slowing a reader down before it has to shed.

Reading a large message takes a fraction of the time that publishing its rows takes. Who reads as fast as it
can from an upstream that sends as fast as it can would fill any inbox, although Kafka is well.
"""

from __future__ import annotations

import time

import anyio

from connector.subscription.memory import Holding

STRIDE = 256 * 1024
"""Bytes that are taken between two looks, at most; with a small budget, or many that share it, less."""

EASE = 0.05
"""Seconds that a look may make one wait, for each session that there is."""

EASE_MOST = 0.25
"""Seconds that it may make one wait, however many there are."""

EASED = 64
"""Readers up to which any waits: each may have read a quarter of a megabyte that is not counted yet."""

STANDSTILL = 0.25
"""Seconds without an acknowledgement of one's own rows after which Kafka counts as standing still."""


class Easing:
    """One reader's; ``holding`` is what it has received and Kafka has not acknowledged."""

    def __init__(self, holding: Holding) -> None:
        self._holding = holding
        self._due_at = 0

    @property
    def is_due(self) -> bool:
        """Whether enough was received for another look."""
        return self._holding.taken >= self._due_at

    async def look(self) -> None:
        """
        Wait while there is more than `Holding.is_ahead` allows: for a moment, and only as long as
        acknowledgements come. For a Kafka that stands still nobody waits.
        """
        holding = self._holding
        sharers = holding.sharers
        if sharers > EASED:
            self._due_at = holding.taken + STRIDE
            return
        self._due_at = holding.taken + min(STRIDE, holding.fair_share // 8)
        until = time.monotonic() + min(EASE * sharers, EASE_MOST)
        while holding.is_ahead:
            left = min(until, holding.released_at + STANDSTILL) - time.monotonic()
            if left <= 0.0:
                return
            with anyio.move_on_after(left):
                await holding.next_release()
