"""
One connection for one subscription: gql's public `AsyncTransport` over `websockets`.

A transport is used once. `connect` opens, negotiates and waits for the acknowledgement; `subscribe`
yields results; `finish` closes on purpose while `subscribe` goes on yielding what the peer still
sends; `abort` ends at once. Closing with nobody receiving would throw away what the peer had already
sent, so `close` is `finish` and whoever iterates must go on until the iterator ends.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import suppress

import anyio
import structlog
from gql.graphql_request import GraphQLRequest
from gql.transport.async_transport import AsyncTransport
from graphql import ExecutionResult
from websockets import exceptions as ws_errors
from websockets.protocol import OPEN

from connector.subscription.connection import ReadingConnection
from connector.subscription.dial import open_socket
from connector.subscription.errors import (
    AckTimedOut,
    FramesRefused,
    ProtocolViolation,
    ServerCompleted,
    ServerRefused,
    SessionError,
    SocketClosed,
    SubprotocolRefused,
)
from connector.subscription.messages import CLIENT_CLOSE, MESSAGE_TOO_BIG, Subprotocol
from connector.subscription.protocol import (
    Acknowledged,
    Completed,
    Delivered,
    Event,
    Ignored,
    Pinged,
    Protocol,
    Refused,
)
from connector.subscription.result import Result
from connector.subscription.settings import SessionSettings
from connector.upstream import Opening

log = structlog.get_logger(__name__)


class Transport(AsyncTransport):
    """
    One attempt, one socket, one operation.

    ``payload_type`` is what results are decoded into (see `Protocol`). `last_heard_at` is when anything
    last arrived, in seconds of `time.monotonic`.
    """

    def __init__(self, opening: Opening, settings: SessionSettings, *, payload_type: type) -> None:
        self._opening = opening
        self._settings = settings
        self._payload_type = payload_type
        self._socket: ReadingConnection | None = None
        self._protocol: Protocol | None = None
        self._finishing = False
        self._replies: deque[bytes] = deque()
        self._replying: asyncio.Future[None] | None = None
        self._told_of_repair = False
        self._reason_of_abort: SessionError | None = None
        self.last_heard_at = time.monotonic()

    async def connect(self) -> None:
        """
        Open the socket, negotiate, initialise, and return once the server acknowledged.

        Raises:
            SessionError: Any leaf of it that names a refusal before the acknowledgement.
        """
        try:
            await self.open()
            await self.initialise()
        except BaseException:
            self.abort()
            raise

    async def open(self) -> None:
        """
        Open the socket and negotiate the subprotocol (RFC 6455 §4.1, §1.9).

        Raises:
            ConnectFailed: No connection within ``open_timeout``.
            HandshakeRefused: HTTP status other than 101.
            SubprotocolRefused: The server selected none.
        """
        opened = await open_socket(self._opening, self._settings)
        if isinstance(opened, SessionError):
            # Raised here and not in `except`, which would keep the library's error, and the URL in it.
            raise opened
        self._socket = opened
        self.last_heard_at = time.monotonic()
        chosen = self._socket.subprotocol
        if chosen is None:
            self.abort()
            raise SubprotocolRefused(", ".join(self._settings.subprotocols))
        self._protocol = Protocol(Subprotocol(chosen), payload_type=self._payload_type)

    @property
    def subprotocol(self) -> Subprotocol:
        """What the server selected, once `open` is through."""
        assert self._protocol is not None
        return self._protocol.subprotocol

    async def initialise(self) -> None:
        """
        Send ``connection_init`` and wait for the acknowledgement.

        Raises:
            AckTimedOut: None came within ``ack_timeout``.
            ServerRefused: ``connection_error`` or ``error`` came instead.
            SocketClosed: The server closed instead.
        """
        assert self._protocol is not None
        with anyio.move_on_after(self._settings.ack_timeout):
            await self._send(self._protocol.initialise(self._opening.init_payload))
            while True:
                event = await self._next_event()
                match event:
                    case Acknowledged():
                        return
                    case Refused():
                        raise self._server_refused(event)
                    case Pinged(reply):
                        await self._send(reply)
                    case _:
                        pass
        raise AckTimedOut(self._settings.ack_timeout)

    async def subscribe(self, request: GraphQLRequest) -> AsyncGenerator[ExecutionResult, None]:
        """
        Start the operation and yield each result, as a `Result`, until the socket ends.

        After `finish` the iterator ends quietly with the peer's Close.

        Raises:
            SessionError: The peer refused, completed, closed, or went away.
        """
        await self.start(request)
        while (delivered := await self.receive()) is not None:
            yield Result(delivered.frame, delivered.payload)

    async def start(self, request: GraphQLRequest) -> None:
        """Send the operation."""
        assert self._protocol is not None
        await self._send(self._protocol.subscribe(request.payload))

    async def receive(self) -> Delivered | None:
        """Return the next result; ``None`` after the end of a `finish`."""
        try:
            while type(event := await self._next_event()) is not Delivered:
                await self._react(event)
        except SocketClosed:
            if self._finishing:
                return None
            raise
        return event

    async def _react(self, event: Event) -> None:
        match event:
            case Pinged(reply):
                self._replies.append(reply)
                if self._replying is None or self._replying.done():
                    self._replying = asyncio.ensure_future(self._reply())
            case Refused() if not self._finishing:
                raise self._server_refused(event)
            case Completed() if not self._finishing:
                raise ServerCompleted
            case Ignored(kind):
                log.debug("message ignored", type=kind)
            case _:
                pass

    async def _reply(self) -> None:
        """Answer pings once what came before is read; see `connector.subscription.connection`."""
        assert self._socket is not None
        await self._socket.caught_up()
        while self._replies:
            await self._send(self._replies.popleft())

    async def execute(self, request: GraphQLRequest) -> ExecutionResult:
        """Return the first result of ``request`` and close."""
        results = self.subscribe(request)
        try:
            return await anext(results)
        finally:
            self.abort()
            await results.aclose()

    async def finish(self) -> None:
        """
        Close on purpose: complete the operation, send Close, wait for the peer's Close or the deadline.

        `receive` must go on being called meanwhile. After ``close_timeout`` the connection is aborted.
        """
        self._finishing = True
        socket, protocol = self._socket, self._protocol
        if socket is None or protocol is None:
            return
        try:
            with anyio.move_on_after(self._settings.close_timeout):
                message = protocol.complete()
                if message is not None:
                    await self._send(message)
                if self._settings.peer_closes:
                    with anyio.move_on_after(self._settings.close_timeout / 2):
                        await socket.wait_closed()
                await socket.close(CLIENT_CLOSE)
        finally:
            self.abort()

    async def close(self) -> None:
        """The same as `finish`, under the name that gql's interface gives it."""
        await self.finish()

    def abort(self, reason: SessionError | None = None) -> None:
        """End the connection now, losing what was not yet received; ``reason`` is what `receive` raises."""
        if reason is not None and self._reason_of_abort is None:
            self._reason_of_abort = reason
        if self._replying is not None:
            self._replying.cancel()
        if self._socket is not None:
            self._socket.transport.abort()

    def clean(self, text: str) -> str:
        """Return ``text``, which the other side said, without the token that it may repeat."""
        return self._opening.without_token(text)

    async def ping(self) -> None:
        """Ping: by ``ping`` on the modern subprotocol, by a websocket ping on the legacy one."""
        assert self._protocol is not None
        message = self._protocol.ping()
        await (self._ping_socket() if message is None else self._send(message))

    async def probe(self) -> None:
        """Ask for a sign of life in every way that there is."""
        assert self._protocol is not None
        message = self._protocol.ping()
        if message is not None:
            await self._send(message)
        await self._ping_socket()

    async def _ping_socket(self) -> None:
        assert self._socket is not None
        if self._socket.state is not OPEN:
            return
        try:
            pong = await self._socket.ping()
        except ws_errors.ConnectionClosed:
            return
        # Inbound websocket pongs never reach the reader, so the future is how they are heard of.
        asyncio.ensure_future(pong).add_done_callback(self._heard)

    def _heard(self, pong: asyncio.Future[float]) -> None:
        if not pong.cancelled() and pong.exception() is None:
            self.last_heard_at = time.monotonic()

    async def _next_event(self) -> Event:
        assert self._socket is not None
        assert self._protocol is not None
        ended: SessionError | None = None
        try:
            frame = await self._socket.recv(decode=False)
        except ws_errors.ConnectionClosed as error:
            ended = self._ended(error)
        if ended is not None:
            # Not in `except`, which would keep the library's error: it quotes the peer.
            raise ended
        self.last_heard_at = time.monotonic()
        try:
            event = self._protocol.receive(frame)
        except ProtocolViolation as error:
            # Whatever it is, it may repeat the address that was asked for.
            clean = self._opening.without_token(frame.decode("utf-8", "surrogateescape"))
            error.frame = clean.encode("utf-8", "surrogateescape")
            raise
        if self._protocol.repaired and not self._told_of_repair:
            self._told_of_repair = True
            log.warning("halves of surrogate pairs came, and were replaced by U+FFFD")
        return event

    async def _send(self, message: bytes) -> None:
        """
        Send ``message`` unless the socket is closing.

        Whoever receives learns of the end, after all that was delivered before it. To send on a closing
        socket would wait for its end, and nobody would be reading meanwhile.
        """
        assert self._socket is not None
        if self._socket.state is not OPEN:
            return
        # Text, because that is what both subprotocols are defined on.
        with suppress(ws_errors.ConnectionClosed):
            await self._socket.send(message, text=True)

    def _ended(self, error: ws_errors.ConnectionClosed) -> SessionError:
        if error.rcvd is not None and (error.sent is None or error.rcvd_then_sent):
            # Also where we aborted since the peer left the TCP stream open after its Close.
            return SocketClosed(error.rcvd.code, self._opening.without_token(error.rcvd.reason))
        if self._reason_of_abort is not None:
            return self._reason_of_abort
        if error.sent is not None and error.sent.code != CLIENT_CLOSE:
            # The library refused what came, with a code that from a server would mean something else.
            if error.sent.code != MESSAGE_TOO_BIG:
                return FramesRefused(error.sent.code)
            return SocketClosed(error.sent.code, "refused by us")
        return SocketClosed(None, "")

    def _server_refused(self, event: Refused) -> ServerRefused:
        clean = self._opening.without_token
        return ServerRefused(
            event.during,
            tuple(clean(error.message) for error in event.errors if error.message),
            tuple(clean(error.code) for error in event.errors if error.code),
        )


__all__ = ["SessionSettings", "Transport"]
