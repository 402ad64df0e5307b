"""
Sessions that are opened where there is none, beside others that are being replaced.

Over a plan's cap of streams the newest session is acknowledged and silent. So where it is not known that one
more is served, nobody opens its only session while a sibling has two, nor a second one while a sibling opens
its only one.
"""

from __future__ import annotations

from collections.abc import Callable

import anyio


class Openings:
    """
    Of one credential. ``may`` tells whether a session of so many streams may be opened now; `look` follows
    whenever it may say otherwise. ``changed`` is called when one is opened, or given up.
    """

    def __init__(self, *, may: Callable[[int], bool], changed: Callable[[], None]) -> None:
        self._may = may
        self._changed = changed
        self._going_on: set[object] = set()
        self._bell = anyio.Event()

    def __bool__(self) -> bool:
        return bool(self._going_on)

    async def begin(self, who: object, streams: int) -> None:
        """Wait until ``who`` may open a session of ``streams``; it goes on until `end`."""
        self._going_on.add(who)
        try:
            await self.wait(streams)
        except BaseException:
            self.end(who)
            raise

    async def wait(self, streams: int) -> None:
        """Wait until another session of ``streams`` may be opened; nobody is kept from anything."""
        while not self._may(streams):
            await self._bell.wait()

    def end(self, who: object) -> None:
        """``who`` has its session, or opens none; told again, it does nothing."""
        if who in self._going_on:
            self._going_on.discard(who)
            self._changed()

    def look(self) -> None:
        """Those that wait may be let in now."""
        bell, self._bell = self._bell, anyio.Event()
        bell.set()
