"""Small servers on the loopback, one for each misbehaviour."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.typing import Subprotocol as Offered

from connector.subscription import Subprotocol

MODERN, LEGACY = Subprotocol.TRANSPORT_WS, Subprotocol.LEGACY_WS
BOTH = [MODERN, LEGACY]

Handler = Callable[[ServerConnection], Awaitable[None]]


async def until(holds: Callable[[], object]) -> None:
    """Return once ``holds``; fails after twenty seconds."""
    with anyio.fail_after(20):
        while not holds():  # noqa: ASYNC110 - conditions without an event
            await anyio.sleep(0.002)


@dataclass(frozen=True)
class Stand:
    """A server that runs: its address, and the library's object to look at its connections."""

    url: str
    server: Server

    async def until_unused(self) -> None:
        """Return once no connection is left; fails after twenty seconds."""
        await until(lambda: not self.server.connections)


@asynccontextmanager
async def websocket_server(
    handler: Handler, *, speaks: Sequence[Subprotocol] = BOTH, **options: Any
) -> AsyncIterator[Stand]:
    """Serve ``handler`` for each connection; it selects the first of ``speaks`` that is offered."""
    options.setdefault("close_timeout", 2)
    options.setdefault("max_size", None)
    options.setdefault("compression", None)
    options.setdefault("select_subprotocol", _first_of(speaks))
    offers = [Offered(name.value) for name in speaks] or None
    async with serve(handler, "127.0.0.1", 0, subprotocols=offers, **options) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield Stand(f"ws://127.0.0.1:{port}/graphql", server)


def _first_of(
    speaks: Sequence[Subprotocol],
) -> Callable[[ServerConnection, Sequence[Offered]], Offered | None]:
    def select(connection: ServerConnection, offered: Sequence[Offered]) -> Offered | None:
        return next((Offered(name.value) for name in speaks if name.value in offered), None)

    return select


async def told(connection: ServerConnection) -> Any:
    """Return the next message of the client."""
    return json.loads(await connection.recv())


async def tell(connection: ServerConnection, kind: str, payload: Any = None, **more: Any) -> None:
    """Send a message to the client."""
    message = {"type": kind, **more}
    if payload is not None:
        message["payload"] = payload
    await connection.send(json.dumps(message))


async def greet(connection: ServerConnection) -> tuple[Any, Any]:
    """Acknowledge, wait for the operation; return both messages of the client."""
    init = await told(connection)
    await tell(connection, "connection_ack")
    return init, await told(connection)


async def acknowledge(connection: ServerConnection) -> None:
    """Acknowledge, and stay until the client closes."""
    await told(connection)
    await tell(connection, "connection_ack")
    await connection.wait_closed()


def row(connection: ServerConnection, number: int, *, size: int = 0) -> str:
    """Return a result with one numbered row and ``size`` bytes more, in the words of the subprotocol."""
    kind = "next" if connection.subprotocol == MODERN.value else "data"
    more = f',"more":"{"x" * size}"' if size else ""
    return f'{{"id":"1","type":"{kind}","payload":{{"data":{{"n":[{number}]{more}}}}}}}'


# Below the library: a peer made of bytes


@dataclass(frozen=True)
class RawPeer:
    """The server's end of one TCP connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def request(self) -> dict[str, str]:
        """Return the headers of the request for the upgrade, names in lower case."""
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        return {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}

    async def upgrade(self, subprotocol: str = MODERN.value) -> None:
        """Answer the upgrade with 101 (RFC 6455 §4.2.2)."""
        key = (await self.request())["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        self.writer.write(
            f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {subprotocol}\r\n\r\n".encode()
        )

    def frame(self, content: bytes, *, opcode: int = 1, fin: bool = True) -> None:
        """Write one unmasked frame (RFC 6455 §5.2)."""
        head = bytes([(0x80 if fin else 0) | opcode])
        if len(content) < 126:
            head += bytes([len(content)])
        elif len(content) < 65536:
            head += b"\x7e" + struct.pack("!H", len(content))
        else:
            head += b"\x7f" + struct.pack("!Q", len(content))
        self.writer.write(head + content)

    async def greet(self, subprotocol: str = MODERN.value) -> None:
        """Upgrade and acknowledge, without looking at what the client says."""
        await self.upgrade(subprotocol)
        self.frame(b'{"type":"connection_ack"}')
        await self.writer.drain()

    async def said(self) -> tuple[int, bytes]:
        """Return the opcode and the content of the client's next frame."""
        opcode, length = await self.reader.readexactly(2)
        length &= 0x7F
        if length >= 126:
            length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8))
        mask = await self.reader.readexactly(4)
        content = await self.reader.readexactly(length)
        return opcode & 0x0F, bytes(byte ^ mask[index % 4] for index, byte in enumerate(content))

    def reset(self) -> None:
        """End the TCP stream with RST."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@asynccontextmanager
async def raw_server(handler: Callable[[RawPeer], Awaitable[None]]) -> AsyncIterator[str]:
    """Serve ``handler`` with bare TCP connections; they are ended when it returns."""
    running: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            await handler(RawPeer(reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            running.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/graphql"
    finally:
        server.close()
        for task in [*running]:
            task.cancel()
        await until(lambda: not running)
