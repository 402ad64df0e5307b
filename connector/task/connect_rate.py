"""
How fast sessions are opened, by all subscriptions of a worker together.

Hundreds of subscriptions start at the same moment, or lose their sockets at the same moment when the upstream
restarts. It has to check a token, a document and a plan for each, and may take a herd for an attack.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import anyio

PER_SECOND = 50.0
AT_ONCE = 10
"""So many may come together, if nobody came just before: a worker with a few subscriptions never waits."""


class ConnectRateLimiter:
    """
    Lets sessions through in the order in which they ask: `AT_ONCE`, and then `PER_SECOND`.

    ``clock`` returns seconds; ``sleep`` waits for seconds of it.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._next_at = 0.0

    async def turn(self) -> None:
        """Return when a session may be opened. Cancelled, the turn is lost."""
        now = self._clock()
        at = max(self._next_at, now - (AT_ONCE - 1) / PER_SECOND)
        self._next_at = at + 1 / PER_SECOND
        if at > now:
            await self._sleep(at - now)
