"""
An upstream in memory: what a test's handler does with each connection, without a socket.

`Peer` is the server's end and reads like that of a websocket; `FakeConnection` is the client's end, over the
real protocol machine.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, urlsplit

import anyio

from connector.subscription import (
    Delivered,
    GraphQLRequest,
    ServerCompleted,
    ServerRefused,
    SessionError,
    SessionSettings,
    SocketClosed,
    Subprotocol,
)
from connector.subscription.protocol import Acknowledged, Completed, Protocol, Refused
from connector.upstream import Opening


class PeerGoneError(Exception):
    """The client has closed, or is gone."""


class Peer:
    """The server's end of one connection."""

    def __init__(self, opening: Opening, settings: SessionSettings) -> None:
        self.opening = opening
        self.offered = settings.subprotocols
        self.request: GraphQLRequest | None = None
        self.is_closing = False
        self.probes = 0
        self.pings = 0
        self.initialised = anyio.Event()
        self.subscribed = anyio.Event()
        self.gone = anyio.Event()
        self.frames: deque[bytes | SessionError] = deque()
        self.news = anyio.Event()

    @property
    def token(self) -> str:
        """What the URL says; empty where it has none."""
        return parse_qs(urlsplit(self.opening.url).query).get("token", [""])[0]

    async def greet(self) -> str:
        """Acknowledge, and return the document that is subscribed to."""
        await self.initialised.wait()
        await self.send('{"type":"connection_ack"}')
        await self.subscribed.wait()
        assert self.request is not None
        return str(self.request.payload["query"])

    async def send(self, message: str | bytes) -> None:
        """
        Send one message.

        Raises:
            PeerGoneError: The client is gone, or its Close was seen.
        """
        await anyio.lowlevel.checkpoint()
        if self.is_closing or self.gone.is_set():
            raise PeerGoneError
        self.write(message)

    def write(self, *messages: str | bytes) -> None:
        """Send all of them before the client can say anything."""
        for message in messages:
            self._put(message.encode() if isinstance(message, str) else message)

    async def close(self, code: int | None = 1000, reason: str = "") -> None:
        """Close; ``None``: the TCP stream just ends."""
        await self.fail(SocketClosed(code, reason))

    async def fail(self, error: SessionError) -> None:
        """Let the client meet ``error``, wherever it is."""
        await anyio.lowlevel.checkpoint()
        self._put(error)

    async def wait_closed(self) -> None:
        """Return once the client has closed, or is gone."""
        await self.gone.wait()

    def _put(self, frame: bytes | SessionError) -> None:
        self.frames.append(frame)
        self.news.set()
        self.news = anyio.Event()


class FakeConnection:
    """Satisfies `Connection`."""

    def __init__(
        self, upstream: FakeUpstream, opening: Opening, settings: SessionSettings, shape: type
    ) -> None:
        self.peer = Peer(opening, settings)
        self.last_heard_at = anyio.current_time()
        self._upstream = upstream
        self._opening = opening
        self._protocol = Protocol(Subprotocol.TRANSPORT_WS, payload_type=shape)
        self._finishing = False
        self._reason: SessionError | None = None

    async def open(self) -> None:
        await self._upstream.connected(self.peer)
        self._heard()

    async def initialise(self) -> None:
        self._protocol.initialise(self._opening.init_payload)
        self.peer.initialised.set()
        while not isinstance(event := await self._event(), Acknowledged):
            if isinstance(event, Refused):
                raise self._refused(event)

    async def start(self, request: GraphQLRequest) -> None:
        self._protocol.subscribe(request.payload)
        self.peer.request = request
        self.peer.subscribed.set()

    async def receive(self) -> Delivered | None:
        try:
            while not isinstance(event := await self._event(), Delivered):
                if isinstance(event, Refused) and not self._finishing:
                    raise self._refused(event)
                if isinstance(event, Completed) and not self._finishing:
                    raise ServerCompleted
        except SocketClosed:
            if self._finishing:
                return None
            raise
        return event

    async def finish(self) -> None:
        self._finishing = True
        self.peer.is_closing = True
        await anyio.sleep(self._upstream.lingers)
        await self.peer.close(1000)
        self.peer.gone.set()

    async def ping(self) -> None:
        self.peer.pings += 1

    async def probe(self) -> None:
        self.peer.probes += 1
        if self._upstream.answers_probes:
            self._heard()

    def abort(self, reason: SessionError | None = None) -> None:
        self._reason = self._reason or reason or SocketClosed(None, "")
        self.peer.gone.set()
        self.peer.news.set()

    def clean(self, text: str) -> str:
        return self._opening.without_token(text)

    def _heard(self) -> None:
        self.last_heard_at = anyio.current_time()

    async def _event(self) -> object:
        await anyio.lowlevel.checkpoint()
        while not self.peer.frames:
            if self._reason is not None:
                raise self._reason
            await self.peer.news.wait()
        frame = self.peer.frames.popleft()
        if isinstance(frame, SessionError):
            raise frame
        self._heard()
        return self._protocol.receive(frame)

    def _refused(self, event: Refused) -> ServerRefused:
        texts = tuple(self.clean(error.message) for error in event.errors if error.message)
        return ServerRefused(
            event.during, texts, tuple(code for error in event.errors for code in error.codes)
        )


class FakeUpstream:
    """
    Satisfies `OpenConnection`; ``handler`` is run with each peer in `serve`.

    ``peers`` are all that were opened, ``refusals`` are raised by the next openings. While ``hangs``, an
    opening does not end. ``answers_probes`` is whether a probe is heard of. Who is told to close says nothing
    more, and answers after ``lingers`` seconds.
    """

    def __init__(self, handler: Callable[[Peer], Awaitable[None]]) -> None:
        self.peers: list[Peer] = []
        self.attempts: list[Peer] = []
        self.refusals: deque[BaseException] = deque()
        self.hangs = False
        self.answers_probes = True
        self.lingers = 0.0
        self._handler = handler
        self._new = anyio.Event()

    @property
    def open(self) -> list[Peer]:
        """Those whose client is there."""
        return [peer for peer in self.peers if not peer.gone.is_set()]

    def __call__(self, opening: Opening, settings: SessionSettings, *, payload_type: type) -> FakeConnection:
        return FakeConnection(self, opening, settings, payload_type)

    async def connected(self, peer: Peer) -> None:
        self.attempts.append(peer)
        await anyio.lowlevel.checkpoint()
        if self.hangs:
            await anyio.sleep_forever()
        if self.refusals:
            raise self.refusals.popleft()
        self.peers.append(peer)
        self._new.set()
        self._new = anyio.Event()

    async def serve(self) -> None:
        """Run the handler for each connection, until cancelled."""
        served = 0
        async with anyio.create_task_group() as group:
            while True:
                for peer in self.peers[served:]:
                    group.start_soon(self._handle, peer)
                served = len(self.peers)
                await self._new.wait()

    async def _handle(self, peer: Peer) -> None:
        try:
            await self._handler(peer)
        except PeerGoneError:
            return
