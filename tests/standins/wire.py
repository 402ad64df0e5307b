"""The connection under a session: what is written to it, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Callable, Coroutine

from websockets.asyncio.server import ServerConnection, broadcast
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from tests.standins.behaviour import Close
from tests.standins.ledger import ConnectionRecord, Ending

FIN_DEADLINE = 5.0
"""Seconds that a client has to end its side after our FIN, before we abort."""

Spawn = Callable[[Coroutine[object, object, None]], None]
"""Runs work in the background until the stand-in stops."""


def reset(connection: ServerConnection) -> None:
    """End the TCP connection with an RST."""
    sock = connection.transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.transport.abort()


class Wire:
    """
    One upgraded connection and the record of its end.

    ``is_stalled``: neither read from nor written to, by our wish.
    """

    def __init__(self, number: int, connection: ServerConnection, spawn: Spawn) -> None:
        self.record = ConnectionRecord(number=number, opened_at=time.monotonic())
        self.is_stalled = False
        self._connection = connection
        self._spawn = spawn

    @property
    def subprotocol(self) -> str | None:
        """What the upgrade agreed on."""
        return self._connection.subprotocol

    @property
    def is_open(self) -> bool:
        """The WebSocket is open in both directions, and no end was begun."""
        state = self._connection.state is State.OPEN
        return state and self.record.ending == "open" and not self._connection.transport.is_closing()

    @property
    def waiting_bytes(self) -> int:
        """Written, but not yet taken by the kernel."""
        return self._connection.transport.get_write_buffer_size()

    def write(self, message: bytes) -> bool:
        """
        Hand a text message to the transport, now or not at all; whether it was.

        ``broadcast`` writes without a suspension, so nothing of the client's is seen in between.
        """
        if self.is_stalled or not self.is_open:
            return False
        broadcast([self._connection], message, text=True)
        return True

    async def drained(self) -> None:
        """Wait until the transport takes more, or the connection ended."""
        if self.is_open:
            with contextlib.suppress(ConnectionError):
                await self._connection.drain()

    async def receive(self) -> str | bytes:
        """The next message. Raises: ConnectionClosed: There is none any more; the end is on record."""
        try:
            return await self._connection.recv()
        except ConnectionClosed as closed:
            self._note_end(closed)
            raise

    async def ping(self) -> None:
        """A websocket ping, nobody waiting for the pong."""
        if self.is_open and not self.is_stalled:
            with contextlib.suppress(ConnectionClosed):
                await self._connection.ping()

    # Endings

    def close(self, close: Close) -> None:
        """Send a Close frame; nothing is written after it."""
        if self.is_open:
            self._end("server close")
            self.record.close_sent = close.code
            self._spawn(self._connection.close(close.code, close.reason))

    def fin(self) -> None:
        """End our side of the TCP stream after what was written, without a Close frame."""
        if self.is_open:
            self._end("fin")
            self._connection.transport.write_eof()
            self._spawn(self._abort_later())

    def rst(self) -> None:
        """Reset the TCP connection."""
        self._end("rst")
        reset(self._connection)

    def stall(self) -> None:
        """Stop reading and writing."""
        self.is_stalled = True
        self._connection.transport.pause_reading()

    def resume(self) -> None:
        """End a stall."""
        if self.is_stalled:
            self.is_stalled = False
            self._connection.transport.resume_reading()

    def _end(self, ending: Ending) -> None:
        if self.record.ending == "open":
            self.record.ending = ending
            self.record.ended_at = time.monotonic()

    async def _abort_later(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIN_DEADLINE):
                await self._connection.wait_closed()
        self._connection.transport.abort()

    def _note_end(self, closed: ConnectionClosed) -> None:
        if closed.rcvd is not None:
            self.record.close_received = closed.rcvd.code
        if self.is_stalled:
            self._end("stall")
        else:
            self._end("client close" if closed.rcvd is not None else "client abort")
