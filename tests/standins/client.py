"""A plain client of both subprotocols over ``websockets``, to test the stand-ins with. Not our product."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.standins.behaviour import LEGACY, MODERN, Close

QUERY = "subscription rows { EVM { DEXTrades { Block { Time } } } }"
WITHIN = 5.0


@dataclass(kw_only=True)
class PlainClient:
    """One connection; ``received`` holds every message so far, as sent."""

    socket: ClientConnection
    received: list[bytes] = field(default_factory=list)

    @property
    def legacy(self) -> bool:
        """Whether the legacy subprotocol was agreed on."""
        return self.socket.subprotocol == LEGACY

    async def send(self, kind: str, **parts: object) -> None:
        """Send a message."""
        await self.socket.send(json.dumps({"type": kind, **parts}))

    async def next(self) -> dict[str, Any]:
        """The next message. Raises: ConnectionClosed: There is none; TimeoutError: It does not come."""
        async with asyncio.timeout(WITHIN):
            raw = await self.socket.recv(decode=False)
        self.received.append(raw)
        message: dict[str, Any] = json.loads(raw)
        return message

    async def initialise(self, **payload: object) -> list[str]:
        """Up to the ack; returns the types of what came before it."""
        await self.send("connection_init", payload=payload)
        before = []
        while (kind := (await self.next())["type"]) != "connection_ack":
            before.append(kind)
        return before

    async def subscribe(self, query: str = QUERY, identifier: str = "1", **payload: object) -> None:
        """Start an operation."""
        kind = "start" if self.legacy else "subscribe"
        await self.send(kind, id=identifier, payload={"query": query, **payload})

    async def rows(self, count: int, *, cube: str = "DEXTrades") -> list[Any]:
        """Decoded rows, at least ``count``, ignoring keep-alives."""
        rows: list[Any] = []
        while len(rows) < count:
            message = await self.next()
            if message["type"] in ("next", "data"):
                rows += message["payload"]["data"]["EVM"][cube]
        return rows

    async def end(self) -> Close | None:
        """Receive to the end of the connection; the peer's Close, ``None`` where none came."""
        try:
            while True:
                await self.next()
        except ConnectionClosed as closed:
            return None if closed.rcvd is None else Close(closed.rcvd.code, closed.rcvd.reason)

    async def during(self, seconds: float) -> list[str]:
        """The types of the messages that come in that time, the connection staying open."""
        kinds: list[str] = []
        try:
            async with asyncio.timeout(seconds):
                while True:
                    kinds.append((await self.next())["type"])
        except TimeoutError:
            return kinds


@asynccontextmanager
async def plain_client(
    url: str,
    token: str | None = None,
    *,
    subprotocol: str | None = MODERN,
    headers: dict[str, str] | None = None,
) -> AsyncIterator[PlainClient]:
    """Connect with the token in the URL."""
    target = url if token is None else f"{url}?token={quote(token, safe='')}"
    offered = None if subprotocol is None else [Subprotocol(subprotocol)]
    async with connect(
        target,
        subprotocols=offered,
        additional_headers=headers,
        max_size=None,
        compression=None,
        ping_interval=None,
        close_timeout=2,
        proxy=None,
    ) as socket:
        yield PlainClient(socket=socket)
