"""
What callers of the API may take of the process: a number of connections, none for long, scrapes by turns.

Probes of Kubernetes come through whatever others hold open: who has waited longest without a request goes
first.
"""

from __future__ import annotations

import asyncio
import math
import resource
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 64
"""Connections at once, where the process may have that many."""

_SCRAPE, _END_OF_HEAD = b"GET /metrics", b"\r\n\r\n"

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
    ``scrapes`` of ``/metrics`` are answered in a second; who asks more often waits, and probes do not.
    """

    connections: int | None = None
    exchange: float = 10.0
    scrapes: float = 20.0


class Pace:
    """As many things in a second as ``rate``, and as many at once after a second of rest."""

    def __init__(self, rate: float) -> None:
        self._pause = 1 / rate
        self._due = -math.inf

    def wait(self, now: float) -> float:
        """Take the next turn; return how many seconds after ``now`` it is."""
        self._due = max(self._due, now - 1.0) + self._pause
        return max(0.0, self._due - now)


def limited_protocol(limits: ConnectionLimits) -> type[H11Protocol]:
    """Return uvicorn's HTTP/1.1 with ``limits``; it closes what idles for five seconds by itself."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    most = limits.connections or _most_connections()
    waiting: dict[H11Protocol, None] = {}  # all of them, who waits longest first
    pace = Pace(limits.scrapes)

    class Limited(H11Protocol):
        _end: asyncio.TimerHandle | None = None
        _turn: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            waiting[self] = None
            self._restart()
            if len(waiting) > most:
                longest = next((one for one in waiting if one is not self and _is_idle(one)), self)
                del waiting[longest]  # it is told that it ended after others have come, maybe
                longest.transport.abort()

        def data_received(self, data: bytes) -> None:
            # Who sends half a request takes nobody's turn; it ends with its connection.
            is_scrape = data.startswith(_SCRAPE) and _END_OF_HEAD in data
            wait = pace.wait(self.loop.time()) if is_scrape else 0.0
            if wait:
                self.transport.pause_reading()
                self._turn = self.loop.call_later(wait, self._take, data)
            else:
                super().data_received(data)

        def _take(self, data: bytes) -> None:
            self._turn = None
            if not self.transport.is_closing():
                self.transport.resume_reading()
                super().data_received(data)

        def connection_lost(self, exc: Exception | None) -> None:
            waiting.pop(self, None)
            for timer in (self._end, self._turn):
                if timer is not None:
                    timer.cancel()
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
