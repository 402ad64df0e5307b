"""An upstream that puts one ordeal to whoever comes first, and then sends a row now and then."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.e2e.hostile import listening
from tests.e2e.malformed import TEXT, frame

MIB = 2**20
CALM = b'{"a":"calm"}'
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def result(rows: bytes, more: bytes = b"") -> bytes:
    """Return a result message with the list of ``rows``, and ``more`` beside its data."""
    return b'{"id":"1","type":"next","payload":{"data":{"rows":[' + rows + b"]}" + more + b"}}"


def deflated(message: bytes) -> bytes:
    """Return a frame with the compressed ``message`` (RFC 7692 §7.2.1), without context."""
    packer = zlib.compressobj(9, wbits=-15)
    return frame((packer.compress(message) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4], first=0xC0 | TEXT)


class Flood:
    """
    ``ordeal`` is written so many ``times`` to the first who subscribes; with ``reads`` of false nothing that
    it sends is read from then on.
    """

    def __init__(self, ordeal: bytes, times: int = 1, *, reads: bool = True) -> None:
        self._ordeal = ordeal
        self._left = times
        self._reads = reads
        self.url = ""
        self.calm = 0

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[Flood]:
        """Listen while inside."""
        async with listening(self._follow) as port:
            self.url = f"ws://127.0.0.1:{port}/graphql"
            yield self

    async def _follow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        (key,) = [line.split(b": ")[1] for line in lines if line.lower().startswith(b"sec-websocket-key")]
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n"
            b"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(hashlib.sha1(key + _MAGIC).digest()) + b"\r\n\r\n"
        )
        await reader.read(1000)
        writer.write(frame(b'{"type":"connection_ack"}'))
        await asyncio.sleep(0.5)
        with suppress(ConnectionError):
            await self._put(writer)
        while not reader.at_eof() and reader.exception() is None:
            writer.write(frame(result(CALM)))
            await writer.drain()
            self.calm += 1
            await asyncio.sleep(0.2)

    async def _put(self, writer: asyncio.StreamWriter) -> None:
        if not self._reads and self._left:
            writer.transport.pause_reading()  # type: ignore[attr-defined]
        while self._left:
            self._left -= 1
            writer.write(self._ordeal)
            await writer.drain()
