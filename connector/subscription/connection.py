"""
A connection that reads to the end.

A peer that wrote, closed and is gone answers whatever is sent to it with a reset, and then forgets what it
had still to send; and asyncio gives a connection up at the first write that fails, with all that was
received and not yet read. A pong to one of the peer's last pings would cost the rows behind it. So a pong
waits until what came is read, and nothing is sent to a peer that has closed its side: nothing more can
come of it but what it has already written.
"""

from __future__ import annotations

import array
import asyncio
import fcntl
import socket
import termios
import time
from typing import Any, cast

import anyio
from websockets.asyncio.client import ClientConnection

LOOK = 0.1
"""Seconds between two looks for something unread; two without are enough."""

LONGEST = 3.0
"""Seconds that a pong waits at most: who is always behind must still show that it lives."""

_ESTABLISHED = 1  # TCP_ESTABLISHED, of linux/tcp_states.h
_PONG = 0x0A  # RFC 6455 §5.2


class ReadingConnection(ClientConnection):
    """The library's connection over a transport that knows when to keep quiet."""

    _end: asyncio.TimerHandle | None = None

    part_came_at = 0.0
    """When a part of a message that is not whole yet last came, in seconds of `time.monotonic`."""

    received_bytes = 0
    """All that came, after TLS."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.BaseProtocol.connection_made`."""
        super().connection_made(
            cast(asyncio.Transport, _DelayingTransport(cast(asyncio.Transport, transport)))
        )

    def data_received(self, data: bytes) -> None:
        """
        See `asyncio.Protocol.data_received`. After a Close the peer has ``close_timeout`` to end the TCP
        stream: while one only receives, the library would wait for that as long as the peer likes.
        """
        super().data_received(data)
        self.received_bytes += len(data)
        # In the middle of a frame, or between two frames of one message (RFC 6455 §5.4).
        if self.protocol.reader.buffer or self.protocol.current_size is not None:
            self.part_came_at = time.monotonic()
        if self._end is None and self.close_timeout is not None and self.protocol.close_expected():
            self._end = self.loop.call_later(self.close_timeout, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.BaseProtocol.connection_lost`."""
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(exc)

    async def caught_up(self) -> None:
        """Return once nothing that came is unread, or after `LONGEST` seconds."""
        with anyio.move_on_after(LONGEST):
            looks = 0
            while looks < 2:
                await anyio.sleep(LOOK)
                looks = 0 if _is_unread(self.transport) else looks + 1


class _DelayingTransport:
    """``inner``, but pongs wait, the last one for all, and a peer that closed its side is sent nothing."""

    def __init__(self, inner: asyncio.Transport) -> None:
        self._inner = inner
        self._loop = asyncio.get_running_loop()
        self._pong: bytes | None = None

    def write(self, data: bytes) -> None:
        if data and data[0] & 0x0F == _PONG:
            if self._pong is None:
                self._loop.call_later(LOOK, self._look, self._loop.time() + LONGEST, False)
            self._pong = data  # "only for the most recently processed Ping frame" (RFC 6455 §5.5.3)
        elif not _peer_has_closed(self._inner):
            self._inner.write(data)

    def _look(self, deadline: float, was_read: bool) -> None:
        pong = self._pong
        if pong is None or self._inner.is_closing() or _peer_has_closed(self._inner):
            self._pong = None
            return
        is_read = not _is_unread(self._inner)
        if (is_read and was_read) or self._loop.time() >= deadline:
            self._pong = None
            self._inner.write(pong)
            return
        self._loop.call_later(LOOK, self._look, deadline, is_read)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _number(transport: asyncio.BaseTransport) -> int:
    """The descriptor of the socket, -1 where there is none (any more)."""
    # The object itself is no real socket under uvloop.
    known: socket.socket | None = transport.get_extra_info("socket")
    return -1 if known is None else known.fileno()


def _peer_has_closed(transport: asyncio.BaseTransport) -> bool:
    """Whether the kernel has the peer's FIN or RST, be there data before it; where it tells (Linux)."""
    number = _number(transport)
    option = getattr(socket, "TCP_INFO", None)
    if number < 0 or option is None:
        return False
    real = socket.socket(fileno=number)
    try:
        return real.getsockopt(socket.IPPROTO_TCP, option, 1)[0] != _ESTABLISHED
    except OSError:
        return False
    finally:
        real.detach()


def _is_unread(transport: asyncio.BaseTransport) -> bool:
    """Whether the kernel holds bytes that came."""
    number = _number(transport)
    if number < 0:
        return False
    size = array.array("i", [0])
    try:
        fcntl.ioctl(number, termios.FIONREAD, size)
    except OSError:
        return False
    return size[0] > 0
