"""
Turns between pieces of heavy work, whoever does them: what is large is taken apart in one go, and many
subscriptions may have something large at once.
"""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

HEAVY = 64 * 1024
"""Bytes of a message before which others get a turn."""

MOST_TURNS = 16
"""To answer somebody takes several turns; before messages of many times `HEAVY` bytes there are so many."""

_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


async def turn_for(size: int) -> None:
    """
    Return when work on ``size`` bytes may begin, which must do without waiting: all others of this loop had
    turns since the last such piece of work of anybody.
    """
    lock = _locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())
    async with lock:
        for _ in range(min(size // HEAVY, MOST_TURNS)):
            await asyncio.sleep(0)
