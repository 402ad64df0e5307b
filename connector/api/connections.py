"""
What callers of the API may take of the process: a number of connections, none for long, scrapes by turns.

Probes of Kubernetes come through whatever others hold open: who has waited longest without a request goes
first, once what came with a burst of connections was read.
"""

from __future__ import annotations

import asyncio
import math
import re
import resource
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 64
"""Connections at once, where the process may have that many."""

_BURST = 3
"""So many times as many connections there may be until what they sent was read, a few turns of the loop."""

_TURNS = 4
"""Turns of the loop after which what came with a connection was read."""

_SCRAPE = re.compile(rb"[\r\n]*[A-Z]{1,20} +/metrics(?=[ ?]).*?\n\r?\n", re.DOTALL)
"""The whole head of one, which may be one of many that were sent in one go."""

_MOST_WAITING = 16 * 1024
"""Bytes that are read of who waits for a turn."""

_SHARE = 8
"""The part of the process's descriptors that is for the API; the rest is for upstream, brokers and files."""


def _most_connections() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else max(4, min(MOST, soft // _SHARE))


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionLimits:
    """
    ``connections`` at once, ``None`` for `MOST` or an eighth of the process's descriptors (thrice as many for
    a moment, and where all are being answered); ``exchange`` is
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
        """Return how many seconds after ``now`` the next turn is; with 0.0 it is taken."""
        due = max(self._due, now - 1.0) + self._pause
        if due <= now:
            self._due = due
        return max(0.0, due - now)


class Turns:
    """
    Who waits for a turn at a `Pace`, in the order of their coming. A turn is taken when it is there: who left
    before it has taken none.
    """

    def __init__(self, rate: float) -> None:
        self._pace = Pace(rate)
        self._waiting: dict[object, Callable[[], None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, who: object, go_on: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
        """Call ``go_on`` when it is the turn of ``who``, maybe at once."""
        self._waiting[who] = go_on
        if self._timer is None:
            self._next(loop)

    def leave(self, who: object) -> None:
        """Forget ``who``."""
        self._waiting.pop(who, None)

    def __contains__(self, who: object) -> bool:
        return who in self._waiting

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        while self._waiting:
            wait = self._pace.wait(loop.time())
            if wait:
                self._timer = loop.call_later(wait, self._next, loop)
                return
            self._waiting.pop(next(iter(self._waiting)))()


def limited_protocol(limits: ConnectionLimits) -> type[H11Protocol]:
    """Return uvicorn's HTTP/1.1 with ``limits``; it closes what idles for five seconds by itself."""
    import h11
    from uvicorn.protocols.http.h11_impl import H11Protocol

    most = limits.connections or _most_connections()
    waiting: dict[H11Protocol, None] = {}  # all of them, who waits longest first
    turns = Turns(limits.scrapes)
    is_thinning = False

    def thin_out(loop: asyncio.AbstractEventLoop, turns_left: int) -> None:
        nonlocal is_thinning
        if turns_left:
            loop.call_soon(thin_out, loop, turns_left - 1)
            return
        is_thinning = False
        for one in [one for one in waiting if _is_idle(one)][: max(0, len(waiting) - most)]:
            end(one)

    def end(one: H11Protocol) -> None:
        del waiting[one]  # it is told that it ended after others have come, maybe
        one.transport.abort()

    class Limited(H11Protocol):
        _end: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            nonlocal is_thinning
            super().connection_made(transport)
            waiting[self] = None
            self._restart()
            if len(waiting) > _BURST * most:
                end(next((one for one in waiting if one is not self and _is_idle(one)), self))
            elif len(waiting) > most and not is_thinning:
                is_thinning = True
                self.loop.call_soon(thin_out, self.loop, _TURNS)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self in turns and len(self.conn.trailing_data[0]) > _MOST_WAITING:
                self.flow.pause_reading()

        def handle_events(self) -> None:
            if self in turns:
                return  # what came since waits, too
            # Who sends half a request takes nobody's turn; it ends with its connection.
            if self.conn.their_state is h11.IDLE and _SCRAPE.match(self.conn.trailing_data[0]):
                # It is read on, so that one sees who hangs up.
                self._unset_keepalive_if_required()
                turns.ask(self, self._take, self.loop)
            else:
                super().handle_events()

        def _take(self) -> None:
            if not self.transport.is_closing():
                self.flow.resume_reading()
                super().handle_events()

        def connection_lost(self, exc: Exception | None) -> None:
            waiting.pop(self, None)
            turns.leave(self)
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
