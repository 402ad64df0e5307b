"""
The upstream of the tests: a GraphQL subscription server on loopback, over the ``websockets`` server.

It speaks both subprotocols strictly (graphql-transport-ws as npm graphql-ws' PROTOCOL.md has it), checks
tokens against a ``TokenAuthority``, keeps a ledger of every row, and misbehaves when told to::

    async with StandInUpstream(authority) as upstream:
        feed = upstream.add_feed(Feed("bsc", rate=1000))
        upstream.next_connection(ending=Close(1013), ending_after_rows=250)
        ...
        audit = feed.ledger.audit(values)

``python -m tests.standins.upstream --help`` runs it as a program of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.typing import Subprotocol

from tests.standins.behaviour import Behaviour, Close, Fin, HttpRefusal, InConnection, Rst
from tests.standins.feed import Feed
from tests.standins.session import Session, stage_of
from tests.standins.tokens import TokenAuthority
from tests.standins.wire import Wire, reset

_STOP_DEADLINE = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One try to upgrade. ``status`` is 101, an HTTP refusal, or ``None`` for a cut or hanging upgrade."""

    at: float
    status: int | None
    path: str = field(repr=False)
    token: str | None = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


class StandInUpstream:
    """
    The server; an async context manager.

    Args:
        authority: Who may connect; shared with the token endpoint.
        feeds: What it streams; none: one feed of 100 rows a second.
        host, port: Where it listens; port 0 takes a free one, kept over ``stop_listening``.
        compression: Offer permessage-deflate.
        tls: Speak wss.
    """

    def __init__(
        self,
        authority: TokenAuthority,
        feeds: Sequence[Feed] = (),
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        compression: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.authority = authority
        self.feeds = {feed.name: feed for feed in feeds or (Feed(),)}
        self.host = host
        self.port = port
        self.behaviour = Behaviour()
        self.stream_cap: int | None = None
        self.attempts: list[Attempt] = []
        self.sessions: list[Session] = []
        self._feed_behaviour: dict[str, Behaviour] = {}
        self._planned: deque[Behaviour] = deque()
        self._planned_for: dict[str, deque[Behaviour]] = {}
        self._by_connection: dict[ServerConnection, Session] = {}
        self.tls = tls
        self._compression = "deflate" if compression else None
        self._servers: list[Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []

    # The scripted face

    @property
    def url(self) -> str:
        """The websocket endpoint, without a token."""
        return f"{'wss' if self.tls else 'ws'}://{self.host}:{self.port}/graphql"

    @property
    def feed(self) -> Feed:
        """The first feed."""
        return next(iter(self.feeds.values()))

    def add_feed(self, feed: Feed) -> Feed:
        """Stream one more feed from now on; the same name replaces nothing and is an error."""
        if feed.name in self.feeds:
            raise ValueError(f"there is a feed called {feed.name} already")
        self.feeds[feed.name] = feed
        if self._servers:
            self._spawn(feed.flow())
        return feed

    def behave(self, *, feed: str | None = None, **changes: Any) -> None:
        """
        Change how later connections behave (fields of ``Behaviour``).

        With ``feed`` only those that subscribe to it, from their subscription on.
        """
        if feed is None:
            self.behaviour = replace(self.behaviour, **changes)
        else:
            self._feed_behaviour[feed] = replace(self._feed_behaviour.get(feed, self.behaviour), **changes)

    def behave_again(self) -> None:
        """Forget every change."""
        self.behaviour = Behaviour()
        self._feed_behaviour.clear()
        self._planned.clear()
        self._planned_for.clear()

    def next_connection(self, *, feed: str | None = None, **changes: Any) -> None:
        """
        Change how one coming connection behaves; calls queue up, one per upgrade that is tried.

        With ``feed``: one per subscription to it, from the subscription on.
        """
        if feed is None:
            self._planned.append(replace(self.behaviour, **changes))
        else:
            behaviour = self._feed_behaviour.get(feed, self.behaviour)
            self._planned_for.setdefault(feed, deque()).append(replace(behaviour, **changes))

    @property
    def open_sessions(self) -> list[Session]:
        """Connections with no end on record, oldest first."""
        return [session for session in self.sessions if session.record.ending == "open"]

    @property
    def live_sessions(self) -> list[Session]:
        """Connections that are open now and have an operation."""
        return [session for session in self.sessions if session.is_open and session.operation is not None]

    @property
    def violations(self) -> list[str]:
        """What any client did against the subprotocols."""
        return [violation for session in self.sessions for violation in session.violations]

    def begin(self, trouble: InConnection, *, feed: str | None = None) -> int:
        """Do it to every open connection (of the feed) now; returns to how many."""
        chosen = [s for s in self.open_sessions if feed is None or (s.feed and s.feed.name == feed)]
        for session in chosen:
            session.begin(trouble)
        return len(chosen)

    async def until(self, condition: Callable[[], object], *, within: float = 60.0) -> None:
        """Wait until the condition holds. Raises: TimeoutError: It did not ``within`` seconds."""
        deadline = time.monotonic() + within
        while not condition():
            self._raise_failures()
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {within} s")
            await asyncio.sleep(0.01)

    # Life

    async def __aenter__(self) -> Self:
        await self.listen()
        for feed in self.feeds.values():
            self._spawn(feed.flow())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in self.open_sessions:
            session.begin(Close(1001, "Going away"))
        for server in self._servers:
            server.close()
            for connection in list(server.all_connections):
                if connection.state is State.CONNECTING or self._is_stalled(connection):
                    connection.transport.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_DEADLINE):
                await asyncio.gather(*(server.wait_closed() for server in self._servers))
        for server in self._servers:
            for connection in list(server.all_connections):
                connection.transport.abort()
            await server.wait_closed()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if error is None:
            self._raise_failures()

    def _is_stalled(self, connection: ServerConnection) -> bool:
        session = self._by_connection.get(connection)
        return session is not None and session.wire.is_stalled

    async def listen(self) -> None:
        """Accept connections (again, on the same port)."""
        server = await serve(
            self._run,
            self.host,
            self.port,
            process_request=self._upgrade,
            select_subprotocol=self._select_subprotocol,
            compression=self._compression,
            ssl=self.tls,
            ping_interval=None,
            open_timeout=None,
            close_timeout=30,
            max_size=None,
        )
        self._servers.append(server)
        self.port = next(iter(server.sockets)).getsockname()[1]

    async def stop_listening(self) -> None:
        """Refuse new TCP connections; open ones go on."""
        self._servers[-1].server.close()

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failures.append(error)

    def _raise_failures(self) -> None:
        if self._failures:
            raise self._failures.pop()

    # The upgrade

    async def _upgrade(self, connection: ServerConnection, request: Request) -> Response | None:
        is_planned = bool(self._planned)
        behaviour = self._planned.popleft() if is_planned else self.behaviour
        token = _presented(request, behaviour)
        refusal = behaviour.at_upgrade
        if refusal is None and self._refuses(token, behaviour) and isinstance(behaviour.refusal, HttpRefusal):
            refusal = behaviour.refusal
        cut = behaviour.hang_upgrade or isinstance(refusal, Fin | Rst)
        status = None if cut else refusal.status if isinstance(refusal, HttpRefusal) else 101
        self._note_attempt(request, status, token)
        if behaviour.upgrade_delay:
            await asyncio.sleep(behaviour.upgrade_delay)
        if cut:
            if isinstance(refusal, Rst):
                reset(connection)
            elif isinstance(refusal, Fin):
                connection.transport.write_eof()
            await connection.wait_closed()
            return _answer(HttpRefusal(status=503))  # nobody reads it
        if isinstance(refusal, HttpRefusal):
            return _answer(refusal)
        session = Session(
            Wire(len(self.sessions), connection, self._spawn),
            behaviour,
            token=token,
            is_planned=is_planned,
            is_valid=self.authority.is_valid,
            subscribe=self._subscribe,
            spawn=self._spawn,
        )
        self._by_connection[connection] = session
        self.sessions.append(session)
        return None

    def _refuses(self, token: str | None, behaviour: Behaviour) -> bool:
        if behaviour.credentials_in is None or stage_of(behaviour) != "upgrade":
            return False
        return not self.authority.is_valid(token)

    def _note_attempt(self, request: Request, status: int | None, token: str | None) -> None:
        headers = {name.lower(): value for name, value in request.headers.raw_items()}
        attempt = Attempt(at=time.monotonic(), status=status, path=request.path, token=token, headers=headers)
        self.attempts.append(attempt)

    def _select_subprotocol(
        self, connection: ServerConnection, offered: Sequence[Subprotocol]
    ) -> Subprotocol | None:
        session = self._by_connection[connection]
        return next((name for name in offered if name in session.behaviour.subprotocols), None)

    async def _run(self, connection: ServerConnection) -> None:
        try:
            await self._by_connection[connection].run()
        except Exception as error:
            self._failures.append(error)
            raise
        finally:
            del self._by_connection[connection]

    # The subscription

    def _subscribe(self, session: Session, payload: Mapping[str, object]) -> Feed | None:
        feed = self.feed_for(payload)
        if feed is None:
            return None
        if planned := self._planned_for.get(feed.name):
            session.behaviour = planned.popleft()
        elif feed.name in self._feed_behaviour and not session.is_planned:
            session.behaviour = self._feed_behaviour[feed.name]
        if self.stream_cap is not None and len(self.live_sessions) > self.stream_cap:
            session.is_silent = True
        return feed

    def feed_for(self, payload: Mapping[str, object]) -> Feed | None:
        """
        Which feed an operation gets: the one named as its operation, as one of its variables or as its
        cube, in this order; else the only feed; else none.
        """
        query, variables = str(payload.get("query")), payload.get("variables")
        named = re.search(r"\bsubscription\s+(\w+)", query)
        wanted: list[object] = [payload.get("operationName"), named[1] if named else None]
        wanted += list(variables.values()) if isinstance(variables, dict) else []
        for name in wanted:
            if isinstance(name, str) and name in self.feeds:
                return self.feeds[name]
        for feed in self.feeds.values():
            if re.search(rf"\b{re.escape(feed.name)}\b", query):
                return feed
        return self.feed if len(self.feeds) == 1 else None


def _presented(request: Request, behaviour: Behaviour) -> str | None:
    if behaviour.credentials_in == "url":
        query = parse_qs(urlsplit(request.path).query)
        return next(iter(query.get(behaviour.credentials_name or "token", [])), None)
    if behaviour.credentials_in == "header":
        value = request.headers.get(behaviour.credentials_name or "Authorization")
        return value.removeprefix("Bearer ") if value is not None else None
    return None


def _answer(refusal: HttpRefusal) -> Response:
    body = refusal.body.encode()
    headers = Headers({"Content-Type": refusal.content_type, "Content-Length": str(len(body))})
    headers["Connection"] = "close"
    if refusal.retry_after is not None:
        headers["Retry-After"] = refusal.retry_after
    for challenge in refusal.challenges:
        headers["WWW-Authenticate"] = challenge
    return Response(refusal.status, HTTPStatus(refusal.status).phrase, headers, body)


if __name__ == "__main__":
    from tests.standins.command import main

    main()
