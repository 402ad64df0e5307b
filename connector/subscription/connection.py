"""
A connection that reads to the end.

A peer that wrote, closed and is gone answers whatever is sent to it with a reset, and then forgets what it
had still to send; and asyncio gives a connection up at the first write that fails, with all that was
received and not yet read. A pong to one of the peer's last pings would cost the rows behind it. So a pong
waits until what came is read, and nothing is sent to a peer that has closed its side: nothing more can
come of it but what it has already written.

What came and was not asked for yet is bounded in bytes, as what it inflates to; small frames are looked at by
turns, whatever one read brings; and who takes nothing of what is written is left.
"""

from __future__ import annotations

import array
import asyncio
import fcntl
import socket
import sys
import termios
import time
from collections.abc import Callable
from itertools import islice
from typing import Any, cast

import anyio
from websockets.asyncio.client import ClientConnection
from websockets.protocol import OPEN

from connector.subscription.frame_turns import MOST_FRAMES, TurnReader, answering_the_last_ping

LOOK = 0.1
"""Seconds between two looks for something unread; two without are enough."""

LONGEST = 3.0
"""Seconds that a pong waits at most: who is always behind must still show that it lives."""

MOST_WAITING = 4 * 2**20
"""Bytes of whole messages that may wait to be asked for; with more no further one is looked at."""

SLICE = 8 * 1024
"""Compressed bytes between two looks at what they became: deflate makes at most a thousand of one."""

_ESTABLISHED = 1  # TCP_ESTABLISHED, of linux/tcp_states.h
_PONG = 0x0A  # RFC 6455 §5.2


class ReadingConnection(ClientConnection):
    """The library's connection over a transport that knows when to keep quiet."""

    # With the library's own they would be more than thirty, which CPython finds more slowly, all of them.
    __slots__ = ("_backlog", "_is_due", "_is_held", "_most_waiting", "_pings", "_reader")

    _end: asyncio.TimerHandle | None = None

    part_came_at = 0.0
    """When a part of a message that is not whole yet last came, in seconds of `time.monotonic`."""

    received_bytes = 0
    """All that came, after TLS."""

    write_patience = 10.0
    """Seconds in which the peer must take something of what was written, where anything was."""

    when_stuck: Callable[[], None] | None = None
    """Called where it took nothing; `None`: the connection is aborted."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.BaseProtocol.connection_made`."""
        delaying = _DelayingTransport(cast(asyncio.Transport, transport), self)
        super().connection_made(cast(asyncio.Transport, delaying))
        self._backlog = bytearray()
        self._is_due = self._is_held = False
        self._most_waiting = sys.maxsize
        self._reader = TurnReader.reading_for(self.protocol)
        self._pings = answering_the_last_ping(self.protocol)
        self.recv_messages.resume = self._go_on_soon

    def data_received(self, data: bytes) -> None:
        """
        See `asyncio.Protocol.data_received`. After a Close the peer has ``close_timeout`` to end the TCP
        stream: while one only receives, the library would wait for that as long as the peer likes.
        """
        self.received_bytes += len(data)
        if self._backlog or self._is_held:
            self._backlog += data
        else:
            self._take(data)
        # In the middle of a frame, or between two frames of one message (RFC 6455 §5.4).
        if self._backlog or self.protocol.reader.buffer or self.protocol.current_size is not None:
            self.part_came_at = time.monotonic()

    def _take(self, data: bytes | bytearray, frames: int = MOST_FRAMES) -> None:
        """
        Look at ``data``; what is more than may wait is put aside, and reading stops. So it does after
        ``frames``: others get their turn before the next.
        """
        self._reader.frames_left = frames
        if self.protocol.state is OPEN and not self.protocol.extensions:
            super().data_received(bytes(data))
            waiting = self._waiting_after(len(data))
        else:
            waiting = self._inflate(data)
        self._is_held = self._reader.frames_left <= 0
        if self._pings.last is not None:
            self._pings.answer()
            self.send_data()
        if self._is_held:
            self.transport.pause_reading()
            self._go_on_soon()
        if waiting > MOST_WAITING and not self.recv_messages.paused:
            self.recv_messages.paused = True
            self.transport.pause_reading()
        if self._end is None and self.close_timeout is not None and self.protocol.close_expected():
            self._end = self.loop.call_later(self.close_timeout, self.transport.abort)

    def _inflate(self, data: bytes | bytearray) -> int:
        queue = self.recv_messages.frames.queue
        waiting, place = self._waiting(), 0
        reader = self._reader
        while (self._is_held or place < len(data)) and waiting <= MOST_WAITING and reader.frames_left > 0:
            size = 0 if self._is_held else SLICE
            self._is_held = False
            before = len(queue)
            super().data_received(bytes(data[place : place + size]))
            place += size
            waiting += sum([len(frame.data) for frame in islice(queue, before, None)])
        self._backlog = bytearray(data[place:])
        return waiting

    def _waiting_after(self, size: int) -> int:
        """
        Return how many bytes wait after ``size`` more came, or more than that where it is no more than may
        wait: to count them takes a look at each message.
        """
        self._most_waiting += size
        if self._most_waiting <= MOST_WAITING:
            return self._most_waiting
        waiting = self._waiting()
        self._most_waiting = waiting + len(self.protocol.reader.buffer)
        return waiting

    def _waiting(self) -> int:
        return sum([len(frame.data) for frame in self.recv_messages.frames.queue])

    def _go_on_soon(self) -> None:
        # Not at once: whoever asks for messages is in the middle of it.
        if not self._is_due:
            self._is_due = True
            self.loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self._is_due = False
        if self.recv_messages.paused or self.recv_messages.closed:
            return
        if self._waiting() > MOST_WAITING:
            self.recv_messages.paused = True
            return
        backlog, self._backlog = self._backlog, bytearray()
        if backlog or self._is_held:
            self._take(backlog)
        if not self.recv_messages.paused and not self._is_held and not self.transport.is_closing():
            self.transport.resume_reading()

    def eof_received(self) -> None:
        """See `asyncio.Protocol.eof_received`."""
        self._take_the_rest()
        super().eof_received()

    def _take_the_rest(self) -> None:
        """Look at what was put aside, for nothing more comes; as much of it as may wait."""
        backlog, self._backlog = self._backlog, bytearray()
        if backlog or self._is_held:
            self._take(backlog, sys.maxsize)
            self._backlog.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.BaseProtocol.connection_lost`."""
        self._take_the_rest()
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
    """
    ``inner``, but pongs wait, the last one for all, and a peer that closed its side is sent nothing. Where it
    takes nothing of what was written, ``connection`` is told.
    """

    def __init__(self, inner: asyncio.Transport, connection: ReadingConnection) -> None:
        self._inner = inner
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._pong: bytes | None = None
        self._written = 0
        self._is_watched = False

    def write(self, data: bytes) -> None:
        if data and data[0] & 0x0F == _PONG:
            if self._pong is None:
                self._loop.call_later(LOOK, self._look, self._loop.time() + LONGEST, False)
            self._pong = data  # "only for the most recently processed Ping frame" (RFC 6455 §5.5.3)
        elif not _peer_has_closed(self._inner):
            self._write(data)

    def _write(self, data: bytes) -> None:
        self._inner.write(data)
        self._written += len(data)
        if not self._is_watched and self._inner.get_write_buffer_size():
            self._watch()

    def _watch(self) -> None:
        self._is_watched = True
        taken = self._written - self._inner.get_write_buffer_size()
        self._loop.call_later(self._connection.write_patience, self._look_at_writing, taken)

    def _look_at_writing(self, taken_before: int) -> None:
        left = self._inner.get_write_buffer_size()
        if not left or self._inner.is_closing():
            self._is_watched = False
        elif self._written - left > taken_before:
            self._watch()
        else:
            (self._connection.when_stuck or self._inner.abort)()

    def _look(self, deadline: float, was_read: bool) -> None:
        pong = self._pong
        if pong is None or self._inner.is_closing() or _peer_has_closed(self._inner):
            self._pong = None
            return
        is_read = not _is_unread(self._inner)
        is_due = (is_read and was_read) or self._loop.time() >= deadline
        if is_due and not self._inner.get_write_buffer_size():  # else the last one was not taken yet
            self._pong = None
            self._write(pong)
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
