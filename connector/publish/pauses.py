"""Pauses after trouble, which end early when the program stops."""

from __future__ import annotations

import anyio

SHORT = 1.0
"""The most that a pause may take, in seconds, once the program stops."""


class Pauses:
    """One publisher's. After `hurry` pauses under way end, and those to come are short."""

    def __init__(self) -> None:
        self._hurried = anyio.Event()

    def hurry(self) -> None:
        """Cut every pause short, now and from now on: what is held gets its try before the program ends."""
        self._hurried.set()

    @property
    def are_short(self) -> bool:
        """Whether `hurry` was called."""
        return self._hurried.is_set()

    async def sleep(self, seconds: float, *, woken: anyio.Event | None = None) -> None:
        """Return after ``seconds``, or once ``woken`` is set (``None``: nothing else ends it), or `hurry`."""
        if self._hurried.is_set():
            seconds = min(seconds, SHORT)
            ends = woken or anyio.Event()
            with anyio.move_on_after(seconds):
                await ends.wait()
            return
        with anyio.move_on_after(seconds):
            await _first_of(self._hurried, woken)


async def _first_of(event: anyio.Event, other: anyio.Event | None) -> None:
    if other is None:
        await event.wait()
        return

    async def wait_for(awaited: anyio.Event) -> None:
        await awaited.wait()
        group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(wait_for, event)
        await other.wait()
        group.cancel_scope.cancel()
