"""One connection of the stand-in upstream, from the upgrade to its end."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from websockets.exceptions import ConnectionClosed

from tests.standins.behaviour import (
    LEGACY,
    SLOW_CONSUMER,
    Behaviour,
    Close,
    ErrorOnConnection,
    Fin,
    HttpRefusal,
    InBandError,
    InConnection,
    Rst,
    Silence,
    Stage,
    Stall,
    Trouble,
)
from tests.standins.dialects import DIALECTS, Dialect, wrap
from tests.standins.ledger import ConnectionRecord
from tests.standins.wire import Spawn, Wire

if TYPE_CHECKING:
    from tests.standins.feed import Feed

_INVALID = Close(4400, "Invalid message received")


def stage_of(behaviour: Behaviour) -> Stage:
    """Where a stale token is refused, unless the behaviour says so itself."""
    if behaviour.refuse_at is not None:
        return behaviour.refuse_at
    if isinstance(behaviour.refusal, HttpRefusal) and behaviour.credentials_in != "init":
        return "upgrade"
    return "subscribe" if isinstance(behaviour.refusal, InBandError) else "init"


def in_connection(trouble: Trouble) -> InConnection:
    """A refusal once the connection is upgraded: an HTTP answer becomes the protocol's "forbidden"."""
    return Close(4403, "Forbidden") if isinstance(trouble, HttpRefusal) else trouble


class Session:
    """
    A connection that was upgraded.

    ``violations`` lists what the client did against its subprotocol; ``received`` holds the messages it
    sent, decoded. ``token`` is what it presented, ``None`` so far. ``rows_sent`` counts repeats too.
    """

    def __init__(
        self,
        wire: Wire,
        behaviour: Behaviour,
        *,
        token: str | None,
        is_planned: bool,
        is_valid: Callable[[str | None], bool],
        subscribe: Callable[[Session, Mapping[str, object]], Feed | None],
        spawn: Spawn,
    ) -> None:
        self.behaviour = behaviour
        self.is_planned = is_planned
        self.token = token
        self.feed: Feed | None = None
        self.operation: str | None = None
        self.query: str | None = None
        self.rows_sent = 0
        self.acked = False
        self.is_silent = False
        self.violations: list[str] = []
        self.received: list[dict[str, object]] = []
        self.wire = wire
        self._is_valid = is_valid
        self._subscribe = subscribe
        self._spawn = spawn
        self._initialised = False
        self._keepalives = True

    @property
    def number(self) -> int:
        """The connection's number, from 0 in the order of upgrades."""
        return self.record.number

    @property
    def record(self) -> ConnectionRecord:
        """How the connection began and ended."""
        return self.wire.record

    @property
    def dialect(self) -> Dialect:
        """The subprotocol agreed on."""
        return DIALECTS[self.wire.subprotocol or LEGACY]

    @property
    def is_open(self) -> bool:
        """The WebSocket is open in both directions, and no end was begun."""
        return self.wire.is_open

    # What a feed asks

    @property
    def is_delivering(self) -> bool:
        """Rows would be written now."""
        return self.is_open and self.operation is not None and not (self.is_silent or self.wire.is_stalled)

    @property
    def rows_before_ending(self) -> int | None:
        """Rows left until ``ending_after_rows``."""
        after = self.behaviour.ending_after_rows
        return None if after is None or self.behaviour.ending is None else after - self.rows_sent

    def deliver(self, body: bytes, rows: int) -> bool:
        """Write one result to the operation; whether the transport of an open WebSocket took it."""
        if not self.is_delivering:
            return False
        assert self.operation is not None
        behaviour = self.behaviour
        message = wrap(
            self.dialect.result,
            self.operation,
            body,
            payload_first=behaviour.payload_first,
            spaced=behaviour.spaced,
        )
        written = self.wire.write(message)
        self.rows_sent += rows if written else 0
        if written and self.wire.waiting_bytes > self.behaviour.overflow_bytes:
            self.begin(SLOW_CONSUMER)
        elif written and self.rows_before_ending is not None and self.rows_before_ending <= 0:
            assert self.behaviour.ending is not None
            self.begin(self.behaviour.ending)
        return written

    async def drained(self) -> None:
        """Wait until the transport takes more, or the connection ended."""
        await self.wire.drained()

    # Messages and troubles

    def send(self, kind: str, *, payload: object = None, with_id: bool = False) -> bool:
        """Write a control message by its type, with the operation's id if wished."""
        identifier = self.operation if with_id else None
        return self.wire.write(self.dialect.message(kind, identifier=identifier, payload=payload))

    def begin(self, trouble: InConnection) -> None:
        """Do the trouble now; what takes time goes on in the background."""
        match trouble:
            case Close():
                self.wire.close(trouble)
            case Fin():
                self.wire.fin()
            case Rst():
                self.wire.rst()
            case Stall():
                self.wire.stall()
            case Silence(keepalive):
                self.is_silent = True
                self._keepalives = keepalive
            case ErrorOnConnection(message, then_close):
                self.send("connection_error", payload={"message": message})
                if then_close is not None:
                    self.begin(Close(then_close, message))
            case InBandError():
                self._write_error(trouble)

    def resume(self) -> None:
        """End a stall or a silence."""
        self.is_silent = False
        self._keepalives = True
        self.wire.resume()

    def _write_error(self, error: InBandError) -> None:
        body: dict[str, object] = {"message": error.message}
        if error.extensions is not None:
            body["extensions"] = dict(error.extensions)
        if error.form == "frame":
            # graphql-transport-ws: a list of errors. Legacy: one error.
            payload: object = body if self.dialect.name == LEGACY else [body]
            self.send("error", payload=payload, with_id=True)
            self.operation = None
            return
        if error.form == "errors":
            result: object = {"data": None, "errors": [body]}
        else:
            result = {"data": {"type": "error", "payload": body}}
        self.send(self.dialect.result, payload=result, with_id=True)
        if error.ends:
            self.send("complete", with_id=True)
            self.operation = None

    # The course

    async def run(self) -> None:
        """Follow the connection to its end."""
        self.record.subprotocol = self.wire.subprotocol
        background = asyncio.create_task(self._watch())
        try:
            if self.wire.subprotocol is None:
                self.begin(Close(4406, "Subprotocol not acceptable"))
            while True:
                await self._handle(await self.wire.receive())
        except ConnectionClosed:
            pass  # its record tells how
        finally:
            background.cancel()
            await asyncio.gather(background, return_exceptions=True)
            if self.feed is not None:
                self.feed.listeners.pop(self.number, None)

    async def _handle(self, raw: str | bytes) -> None:
        try:
            if isinstance(raw, bytes):
                raise ValueError("a binary message")
            message = json.loads(raw)
            kind = message["type"]
        except (ValueError, KeyError, TypeError):
            self._refuse_message("no JSON message with a type", _INVALID)
            return
        self.received.append(message)
        if kind == "connection_init":
            await self._initialise(message)
        elif kind == self.dialect.start:
            self._start(message)
        elif kind == self.dialect.stop:
            self._stop(message)
        elif kind == "ping" and self.dialect.name != LEGACY:
            if self.behaviour.answers_ping:
                self.send("pong", payload=message.get("payload"))
        elif kind == "connection_terminate" and self.dialect.name == LEGACY:
            self.begin(Close(1000))
        elif kind != "pong" or self.dialect.name == LEGACY:
            self._refuse_message(f"unknown message type {kind!r}", _INVALID)

    def _refuse_message(self, violation: str, close: Close) -> None:
        self.violations.append(violation)
        if self.dialect.name != LEGACY:
            self.begin(close)
        else:
            self.send("error", payload={"message": violation}, with_id=True)

    async def _initialise(self, message: Mapping[str, object]) -> None:
        if self._initialised:
            self._refuse_message("a second connection_init", Close(4429, "Too many initialisation requests"))
            return
        self._initialised = True
        behaviour = self.behaviour
        if behaviour.credentials_in == "init":
            self.token = _token_in(message.get("payload"), behaviour.credentials_name or "token")
        if self._is_refused_at("init"):
            self.begin(in_connection(behaviour.refusal))
            return
        for kind in behaviour.before_ack:
            self.send(kind)
        if behaviour.instead_of_ack is not None:
            self.begin(behaviour.instead_of_ack)
            return
        if behaviour.ack_delay:
            await asyncio.sleep(behaviour.ack_delay)
        self.acked = self.send("connection_ack")

    def _is_refused_at(self, stage: Stage) -> bool:
        behaviour = self.behaviour
        if behaviour.credentials_in is None or stage_of(behaviour) != stage:
            return False
        return not self._is_valid(self.token)

    def _start(self, message: Mapping[str, object]) -> None:
        identifier, payload = message.get("id"), message.get("payload")
        if not isinstance(identifier, str) or not identifier or not isinstance(payload, dict):
            self._refuse_message(f"{self.dialect.start} without id or payload", _INVALID)
        elif not isinstance(payload.get("query"), str):
            self._refuse_message(f"{self.dialect.start} without a query", _INVALID)
        elif not self.acked:
            self._refuse_message(f"{self.dialect.start} before the ack", Close(4401, "Unauthorized"))
        elif self.operation == identifier:
            close = Close(4409, f"Subscriber for {identifier} already exists")
            self._refuse_message(f"{self.dialect.start} with an id in use", close)
        elif self.operation is not None:
            # One socket per subscription: the vendor's `stop` is not honoured, so a second one is a mistake.
            self._refuse_message("a second operation on one connection", Close(4400, "One operation only"))
        else:
            self._open_operation(identifier, payload)

    def _open_operation(self, identifier: str, payload: Mapping[str, object]) -> None:
        self.operation = identifier
        self.query = str(payload.get("query"))
        if self._is_refused_at("subscribe"):
            self.begin(in_connection(self.behaviour.refusal))
            return
        self.feed = self._subscribe(self, payload)
        if self.behaviour.at_subscribe is not None:
            self.begin(self.behaviour.at_subscribe)
        if self.feed is None:
            self.begin(InBandError(message="no table can query this document"))
        elif self.is_open and self.operation is not None:
            self.feed.ledger.connections[self.number] = self.record
            self.feed.listeners[self.number] = self
            if self.behaviour.snapshot_rows:
                self.feed.snapshot(self, self.behaviour.snapshot_rows)
            after = self.behaviour.ending_after_seconds
            if after is not None and self.behaviour.ending is not None:
                self._spawn(self._begin_later(self.behaviour.ending, after))

    async def _begin_later(self, trouble: InConnection, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if self.is_open:
            self.begin(trouble)

    def _stop(self, message: Mapping[str, object]) -> None:
        if self.operation is None or message.get("id") != self.operation:
            return
        if self.behaviour.on_stop == "completes":
            self.send("complete", with_id=True)
        if self.behaviour.on_stop != "ignored":
            self.operation = None

    # What happens by itself

    async def _watch(self) -> None:
        opened = last = time.monotonic()
        while True:
            await asyncio.sleep(0.02)
            now = time.monotonic()
            limit = self.behaviour.init_timeout
            if not self._initialised and limit is not None and now - opened > limit:
                self.begin(Close(4408, "Connection initialisation timeout"))
                return
            if self.acked and self._keepalives and now - last >= self.behaviour.keepalive_interval:
                last = now
                await self._keep_alive()
            if self.behaviour.closes_at_expiry and self.acked and not self._is_valid(self.token):
                self.begin(in_connection(self.behaviour.refusal))
                return

    async def _keep_alive(self) -> None:
        kind = self.behaviour.keepalive
        if kind == "usual":
            kind = "ka" if self.dialect.name == LEGACY else "pong"
        if kind == "websocket ping":
            await self.wire.ping()
        elif kind is not None:
            self.send(kind)


def _token_in(payload: object, name: str) -> str | None:
    """The token under a key of the payload; dots lead to a key below a key."""
    value = payload
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value.removeprefix("Bearer ") if isinstance(value, str) else None
