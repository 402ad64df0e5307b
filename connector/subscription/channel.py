"""An open socket as one sees it who speaks in messages: events come in, messages go out."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import structlog
from websockets import exceptions as ws_errors
from websockets.protocol import OPEN

from connector.subscription.connection import ReadingConnection
from connector.subscription.ending import socket_ended, without_token
from connector.subscription.errors import NothingTaken, ProtocolViolation, SessionError
from connector.subscription.protocol import Event, Protocol, Torn
from connector.subscription.surrogates import Repair
from connector.subscription.turns import HEAVY, turn_for
from connector.upstream import Opening

log = structlog.get_logger(__name__)

SLOW_MESSAGE = 120.0
SLOWEST_RATE = 16 * 1024
"""
A message that is still coming is a sign of life for so many seconds, and one more for each so many bytes:
who sends a byte now and then for ever is silent.
"""

MOST_KEPT = 512 * 1024
"""Bytes that are kept of what is no message: to look for secrets in more would hold everybody up."""


class Channel:
    """
    ``socket`` with the ``protocol`` that is spoken on it; ``opening`` is what it was opened with.

    `last_heard_at` is when anything last arrived, in seconds of `time.monotonic`: a whole message, the pong
    to our ping, or a part of a message that is still coming (but see `SLOW_MESSAGE`).
    """

    def __init__(self, socket: ReadingConnection, protocol: Protocol, opening: Opening) -> None:
        self.socket = socket
        self.protocol = protocol
        self._opening = opening
        self._reply_due: bytes | None = None
        self._replying: asyncio.Future[None] | None = None
        self._reason_of_abort: SessionError | None = None
        self._heard_at = time.monotonic()
        self._bytes_before = 0
        self._unfinished: bytes | Repair | None = None  # what came, or is being repaired
        socket.when_stuck = self._stuck
        protocol.when_repaired = self._tell_of_repair

    def _stuck(self) -> None:
        self.abort(NothingTaken(self.socket.write_patience))

    @property
    def last_heard_at(self) -> float:
        """When anything last arrived."""
        part_came_at = self.socket.part_came_at
        if part_came_at <= self._heard_at:
            return self._heard_at
        came = self.socket.received_bytes - self._bytes_before
        return min(part_came_at, self._heard_at + SLOW_MESSAGE + came / SLOWEST_RATE)

    async def next_event(self) -> Event:
        """
        Return what the next message means. Cancelling loses nothing.

        Raises:
            SocketClosed: There is no more, for the socket was closed.
            SessionError: The reason of an `abort`.
            ProtocolViolation: It is no message.
        """
        if self._unfinished is not None:
            return await self._finish(self._unfinished)
        try:
            frame = await self.socket.recv(decode=False)
        except ws_errors.ConnectionClosed as error:
            ended = socket_ended(error, self._opening, self._reason_of_abort)
        else:
            self._heard_at, self._bytes_before = time.monotonic(), self.socket.received_bytes
            if len(frame) > HEAVY:
                self._unfinished = frame
                return await self._finish(frame)
            try:
                return self.protocol.receive(frame)
            except ProtocolViolation as error:
                self._keep(frame, error)
                raise
        # Not in `except`, which would keep the library's error: it quotes the peer.
        raise ended

    async def _finish(self, what: bytes | Repair) -> Event:
        """Take what is heavy once it is its turn; whoever is cancelled meanwhile leaves it for the next."""
        if not isinstance(what, Repair):
            await turn_for(len(what))
            self._unfinished = None
            event = self._event(what)
            if type(event) is not Torn:
                return event
            self._unfinished = what = Repair(what)
        # Step by step: it may be large, and others want their turns.
        while what.step():  # noqa: ASYNC110 - it is work that is done, and not waited for
            await asyncio.sleep(0)
        await turn_for(len(what.frame))
        self._unfinished = None
        return self._event(what.frame, what.repaired)

    def _event(self, frame: bytes, repaired: bytes | None = None) -> Event:
        try:
            return self.protocol.receive(frame, repaired)
        except ProtocolViolation as error:
            self._keep(frame, error)
            raise

    def _keep(self, frame: bytes, error: ProtocolViolation) -> None:
        error.frame = without_token(frame[:MOST_KEPT], self._opening)

    def _tell_of_repair(self) -> None:
        self.protocol.when_repaired = lambda: None  # once is enough
        log.warning("halves of surrogate pairs came, and were replaced by U+FFFD")

    async def send(self, message: bytes) -> None:
        """
        Send ``message`` unless the socket is closing.

        Whoever receives learns of the end, after all that was delivered before it. To send on a closing
        socket would wait for its end, and nobody would be reading meanwhile.
        """
        if self.socket.state is not OPEN:
            return
        # Text, because that is what both subprotocols are defined on.
        with suppress(ws_errors.ConnectionClosed):
            await self.socket.send(message, text=True)

    def reply(self, message: bytes) -> None:
        """
        Answer a ping once what came before it is read (see `ReadingConnection`); never waits. Of several
        that came meanwhile the last one is answered.
        """
        self._reply_due = message
        if self._replying is None or self._replying.done():
            self._replying = asyncio.ensure_future(self._reply())

    async def _reply(self) -> None:
        await self.socket.caught_up()
        while (message := self._reply_due) is not None:
            self._reply_due = None
            await self.send(message)

    async def ping(self) -> None:
        """Send a websocket ping; its pong is a sign of life."""
        if self.socket.state is not OPEN:
            return
        try:
            pong = await self.socket.ping()
        except ws_errors.ConnectionClosed:
            return
        # Inbound websocket pongs never reach the reader, so the future is how they are heard of.
        asyncio.ensure_future(pong).add_done_callback(self._heard)

    def _heard(self, pong: asyncio.Future[float]) -> None:
        if not pong.cancelled() and pong.exception() is None:
            self._heard_at, self._bytes_before = time.monotonic(), self.socket.received_bytes

    def abort(self, reason: SessionError | None = None) -> None:
        """
        End the connection now, losing what was not yet received. The first ``reason`` is what `next_event`
        raises; ``None``: that the socket is closed.
        """
        if reason is not None and self._reason_of_abort is None:
            self._reason_of_abort = reason
        if self._replying is not None:
            self._replying.cancel()
        self.socket.transport.abort()
