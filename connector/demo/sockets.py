"""
The upstream's sockets, seen at the ASGI boundary round the GraphQL application.

Here stale tokens are refused at the upgrade, sockets are dropped from the upstream's side, and each
row that was handed to an open socket is entered in the feed's books.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from itertools import cycle
from typing import Any
from urllib.parse import parse_qs

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from connector.demo.feed import Feed, Tap
from connector.demo.oauth import Issuer

SUBPROTOCOLS = ("graphql-transport-ws", "graphql-ws")
SERVICE_RESTART = 1012
"""The close code with which the upstream drops a socket (RFC 6455 §7.4, IANA registry)."""

_SESSION = "connector.demo.session"
_UNAUTHORIZED = b'{"error":"Unauthorized"}'


class Session:
    """One accepted websocket: it carries one operation, whose written rows it enters."""

    def __init__(self, feed: Feed, receive: Receive, send: Send) -> None:
        self._feed = feed
        self._receive = receive
        self._send = send
        self._tap: Tap | None = None
        self._over = anyio.Event()
        # Set once nothing more can be written, whichever side ended it.

    @property
    def is_live(self) -> bool:
        """Whether rows flow on this socket."""
        return self._tap is not None and not self._over.is_set()

    @contextmanager
    def operation(self, network: str) -> Iterator[Tap]:
        """Feed the rows of ``network`` to the operation of this socket while inside."""
        self._tap = tap = self._feed.open(network)
        try:
            yield tap
        finally:
            self._feed.close(tap)
            self._tap = None

    async def send(self, message: Message) -> None:
        """
        Pass a message on, and enter its rows once the server took them for an open socket.

        What comes after the end is thrown away: the GraphQL application learns of the end from `receive`,
        and would leave the exception of a late frame in a task that nobody awaits.
        """
        tap = self._tap
        if self._over.is_set():
            return
        try:
            await self._send(message)
        except OSError:
            self._over.set()
            return
        except RuntimeError:
            # The server says so of a frame that waited for room while `drop` sent the Close frame.
            if self._over.is_set():
                return
            raise
        if message["type"] == "websocket.send" and tap is not None:
            tap.wrote(numbers_in(message["text"]))

    async def receive(self) -> Message:
        """Return the peer's next message, or a disconnect once this side dropped the socket."""
        message: Message = {"type": "websocket.disconnect", "code": SERVICE_RESTART}

        async def from_peer() -> None:
            nonlocal message
            message = await self._receive()
            group.cancel_scope.cancel()

        async def until_over() -> None:
            await self._over.wait()
            group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(from_peer)
            group.start_soon(until_over)
        return message

    async def drop(self, *, with_close_frame: bool) -> None:
        """End the socket: with a Close frame, or with the FIN alone."""
        self._over.set()
        if with_close_frame:
            # The peer may have ended it a moment before.
            with suppress(OSError, RuntimeError):
                await self._send({"type": "websocket.close", "code": SERVICE_RESTART, "reason": "restarting"})


def session_of(socket: WebSocket) -> Session:
    """Return the session that ``socket`` belongs to."""
    session: Session = socket.scope[_SESSION]
    return session


def numbers_in(frame: str) -> list[int]:
    """Return the numbers of the rows that a frame carries; none if it is not one with data."""
    payload = json.loads(frame).get("payload")
    data = payload.get("data") if isinstance(payload, Mapping) else None
    if not data:
        return []
    return [row["Log"]["Index"] for row in data["EVM"]["DEXTrades"]]


class Sockets:
    """
    ASGI middleware: the door to the upstream.

    The subprotocol alternates from one connection to the next between those that the client offers, so
    that both are spoken. ``opened`` counts accepted sockets by subprotocol, ``refused`` the upgrades
    with a stale token, ``dropped`` the sockets ended from this side by how.
    """

    def __init__(self, app: ASGIApp, *, feed: Feed, issuer: Issuer) -> None:
        self.opened: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self.refused = 0
        self._app = app
        self._feed = feed
        self._issuer = issuer
        self._sessions: list[Session] = []
        self._ended = anyio.Event()
        self._faults = cycle(("close frame", "revoked token", "FIN"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one websocket, if its token is good."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        tokens = parse_qs(scope["query_string"].decode()).get("token", [""])
        if not self._issuer.is_good(tokens[-1]):
            self.refused += 1
            await _refuse(send)
            return
        session = Session(self._feed, receive, send)
        self._sessions.append(session)
        try:
            await self._app(self._with_one_subprotocol(scope, session), session.receive, session.send)
        finally:
            self._sessions.remove(session)
            self._ended.set()

    async def all_closed(self) -> None:
        """Return once no socket is being served."""
        while self._sessions:
            self._ended = anyio.Event()
            await self._ended.wait()

    def _with_one_subprotocol(self, scope: Scope, session: Session) -> MutableMapping[str, Any]:
        offered = [name for name in SUBPROTOCOLS if name in scope["subprotocols"]]
        chosen = offered[self.opened.total() % len(offered) :][:1] if offered else []
        self.opened.update(chosen or ["none"])
        return {**scope, "subprotocols": chosen, _SESSION: session}

    async def drop_one(self) -> None:
        """
        Drop the socket that has been open longest, in the next of three ways.

        ``revoked token`` also makes every token stale first: the client finds out when it comes back.
        """
        session = next((session for session in self._sessions if session.is_live), None)
        if session is None:
            return
        fault = next(self._faults)
        if fault == "revoked token":
            self._issuer.revoke_all()
        self.dropped[fault] += 1
        await session.drop(with_close_frame=fault != "FIN")


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"www-authenticate", b"Bearer")]
    await send({"type": "websocket.http.response.start", "status": 401, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": _UNAUTHORIZED})
