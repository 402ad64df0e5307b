"""
One connection for one subscription, over `websockets`.

A transport is used once. `open` connects and negotiates, `initialise` waits for the acknowledgement, `start`
sends the operation, and `receive` returns results; `finish` closes on purpose while `receive` goes on
returning what the peer still sends; `abort` ends at once. Closing with nobody receiving would throw away
what the peer had already sent.
"""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import anyio
import structlog
from gql.graphql_request import GraphQLRequest

from connector.subscription.channel import Channel
from connector.subscription.connect import open_socket
from connector.subscription.ending import server_refused
from connector.subscription.errors import (
    AckTimedOut,
    ServerCompleted,
    SessionError,
    SocketClosed,
    SubprotocolRefused,
)
from connector.subscription.messages import CLIENT_CLOSE, Subprotocol
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
from connector.subscription.settings import SessionSettings
from connector.upstream import Opening

log = structlog.get_logger(__name__)


class Transport:
    """
    One attempt, one socket, one operation.

    ``payload_type`` is what results are decoded into (see `Protocol`).
    """

    def __init__(self, opening: Opening, settings: SessionSettings, *, payload_type: type) -> None:
        self._opening = opening
        self._settings = settings
        self._payload_type = payload_type
        self._channel: Channel | None = None
        self._finishing = False
        self._told_of_foreign_error = False
        self._made_at = time.monotonic()

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
        chosen = opened.subprotocol
        if chosen is None:
            opened.transport.abort()
            raise SubprotocolRefused(", ".join(self._settings.subprotocols))
        protocol = Protocol(Subprotocol(chosen), payload_type=self._payload_type)
        self._channel = Channel(opened, protocol, self._opening)

    @property
    def subprotocol(self) -> Subprotocol:
        """What the server selected, once `open` is through."""
        assert self._channel is not None
        return self._channel.protocol.subprotocol

    @property
    def last_heard_at(self) -> float:
        """When anything last arrived, at first when this was made; in seconds of `time.monotonic`."""
        return self._channel.last_heard_at if self._channel is not None else self._made_at

    async def initialise(self) -> None:
        """
        Send ``connection_init`` and wait for the acknowledgement.

        Raises:
            AckTimedOut: None came within ``ack_timeout``.
            ServerRefused: ``connection_error`` or ``error`` came instead.
            SocketClosed: The server closed instead.
        """
        assert self._channel is not None
        channel = self._channel
        with anyio.move_on_after(self._settings.ack_timeout):
            await channel.send(channel.protocol.initialise(self._opening.init_payload))
            while True:
                event = await channel.next_event()
                match event:
                    case Acknowledged():
                        return
                    case Refused():
                        raise server_refused(event, self._opening)
                    case Pinged(reply):
                        await channel.send(reply)
                    case Ignored():
                        self._ignore(event)
                    case _:
                        pass
        raise AckTimedOut(self._settings.ack_timeout)

    async def start(self, request: GraphQLRequest) -> None:
        """Send the operation."""
        assert self._channel is not None
        await self._channel.send(self._channel.protocol.subscribe(request.payload))

    async def receive(self) -> Delivered | None:
        """
        Return the next result; ``None`` after the end of a `finish`. Cancelling loses nothing.

        Raises:
            SessionError: The peer refused, completed, closed, or went away; or the reason of an `abort`.
        """
        channel = self._channel
        assert channel is not None
        try:
            while type(event := await channel.next_event()) is not Delivered:
                self._react(channel, event)
        except SocketClosed:
            if self._finishing:
                return None
            raise
        return event

    def _react(self, channel: Channel, event: Event) -> None:
        match event:
            case Pinged(reply):
                channel.reply(reply)
            case Refused() if not self._finishing:
                raise server_refused(event, self._opening)
            case Completed() if not self._finishing:
                raise ServerCompleted
            case Ignored():
                self._ignore(event)
            case _:
                pass

    def _ignore(self, message: Ignored) -> None:
        if not message.errors or self._told_of_foreign_error:
            log.debug("message ignored", type=message.type)
            return
        self._told_of_foreign_error = True
        said = [self.clean(error.message or ", ".join(error.codes[:3])) for error in message.errors[:3]]
        log.warning(
            "error for no operation of ours",
            host=urlsplit(self._opening.url).hostname,
            error="; ".join(filter(None, said)) or "without a reason",
        )

    async def finish(self) -> None:
        """
        Close on purpose: complete the operation, send Close, wait for the peer's Close or the deadline.

        `receive` must go on being called meanwhile. After ``close_timeout`` the connection is aborted, and at
        once where this is cancelled.
        """
        self._finishing = True
        channel = self._channel
        if channel is None:
            return
        try:
            with anyio.move_on_after(self._settings.close_timeout):
                message = channel.protocol.complete()
                if message is not None:
                    await channel.send(message)
                if self._settings.peer_closes:
                    with anyio.move_on_after(self._settings.close_timeout / 2):
                        await channel.socket.wait_closed()
                await channel.socket.close(CLIENT_CLOSE)
        finally:
            channel.abort()

    def abort(self, reason: SessionError | None = None) -> None:
        """
        End the connection now, losing what was not yet received; before `open`, do nothing. The first
        ``reason`` is what `receive` raises; ``None``: that the socket is closed.
        """
        if self._channel is not None:
            self._channel.abort(reason)

    def clean(self, text: str) -> str:
        """Return ``text``, which the other side said, without the token that it may repeat."""
        return self._opening.without_token(text)

    async def ping(self) -> None:
        """Ping: by ``ping`` on the modern subprotocol, by a websocket ping on the legacy one."""
        assert self._channel is not None
        message = self._channel.protocol.ping()
        await (self._channel.ping() if message is None else self._channel.send(message))

    async def probe(self) -> None:
        """Ask for a sign of life in every way that there is."""
        assert self._channel is not None
        message = self._channel.protocol.ping()
        if message is not None:
            await self._channel.send(message)
        await self._channel.ping()
