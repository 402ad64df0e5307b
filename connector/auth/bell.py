"""Waking everybody who waits, as often as it happens."""

from __future__ import annotations

import anyio


class Bell:
    """An event that happens again and again: `ring` wakes all who wait then, and nobody who comes later."""

    def __init__(self) -> None:
        self.next = anyio.Event()
        """Set at the next `ring`."""

    async def wait(self) -> None:
        """Return at the next `ring`."""
        await self.next.wait()

    def ring(self) -> None:
        """Wake all who wait."""
        rung, self.next = self.next, anyio.Event()
        rung.set()
