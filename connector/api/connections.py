"""
What callers of the API may keep of the process: a number of connections, and none for long.

Probes of Kubernetes come through whatever others hold open: who has waited longest without a request goes
first.
"""

from __future__ import annotations

import asyncio
import resource
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 64
"""Connections at once, where the process may have that many."""

_SHARE = 8
"""The part of the process's descriptors that is for the API; the rest is for upstream, brokers and files."""


def _most_connections() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else max(4, min(MOST, soft // _SHARE))


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionLimits:
    """
    ``connections`` at once, ``None`` for `MOST` or an eighth of the process's descriptors; ``exchange`` is
    how many seconds a request may take from the connection, or the answer before, to its own answer's end.
    """

    connections: int | None = None
    exchange: float = 10.0


def limited_protocol(limits: ConnectionLimits) -> type[H11Protocol]:
    """Return uvicorn's HTTP/1.1 with ``limits``; it closes what idles for five seconds by itself."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    most = limits.connections or _most_connections()
    waiting: dict[H11Protocol, None] = {}  # all of them, who waits longest first

    class Limited(H11Protocol):
        _end: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            waiting[self] = None
            self._restart()
            if len(waiting) > most:
                longest = next((one for one in waiting if one is not self and _is_idle(one)), self)
                del waiting[longest]  # it is told that it ended after others have come, maybe
                longest.transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            waiting.pop(self, None)
            if self._end is not None:
                self._end.cancel()
            super().connection_lost(exc)

        def on_response_complete(self) -> None:
            if self in waiting:
                waiting[self] = waiting.pop(self)  # it was idle for the shortest time now
                self._restart()
            super().on_response_complete()

        def _restart(self) -> None:
            if self._end is not None:
                self._end.cancel()
            # Not `close`, which waits for a peer that does not read.
            self._end = self.loop.call_later(limits.exchange, self.transport.abort)

    return Limited


def _is_idle(connection: H11Protocol) -> bool:
    return connection.cycle is None or connection.cycle.response_complete
