"""
Sessions that are opened where there is none, beside others that are being replaced.

Over a plan's cap of streams the newest session is acknowledged and silent. So nobody opens its only session
while it is not known whether the second one of a sibling is served, nor a second one while a sibling opens
its only one.
"""

from __future__ import annotations

from collections.abc import Callable

import anyio


class Openings:
    """
    Of one credential. ``may`` tells whether a session of so many streams may be opened now; `look` follows
    whenever it may say otherwise.
    """

    def __init__(self, *, may: Callable[[int], bool]) -> None:
        self._may = may
        self._going_on: set[object] = set()
        self._bell = anyio.Event()

    async def begin(self, who: object, streams: int) -> None:
        """Wait until ``who`` may open a session of ``streams``; it goes on until `end`."""
        await self.wait(streams)
        self._going_on.add(who)

    async def wait(self, streams: int) -> None:
        """Wait until a session of ``streams`` may be opened."""
        while not self._may(streams):
            await self._bell.wait()

    def end(self, who: object) -> None:
        """``who`` has its session, or opens none; told again, it does nothing."""
        if who in self._going_on:
            self._going_on.discard(who)
            self.look()

    async def until_none(self) -> None:
        """Wait until nobody opens one."""
        while self._going_on:
            await self._bell.wait()

    def look(self) -> None:
        """What is waited for may be there now."""
        bell, self._bell = self._bell, anyio.Event()
        bell.set()
