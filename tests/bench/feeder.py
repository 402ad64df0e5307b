"""
The upstream of the benchmarks: GraphQL over WebSocket, as fast as a socket takes it.

Frames are built once and written as bytes, many at a time, so that the feeder is never what is measured.
It speaks ``graphql-transport-ws``; on the path ``/plain`` it begins at the first message that comes, for
programs that can only send one. Run as ``python -m tests.bench.feeder``; it prints its port.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import hashlib
import json
import ssl
import struct
import time
from collections.abc import Iterator
from pathlib import Path

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3
DISTINCT_ROWS = 20_000
"""Rows before they repeat: enough that no cache of keys could help anybody."""
CHUNK_BYTES = 256 * 1024
"""What is handed to the socket at a time when no rate is asked for."""


def row(number: int, moment: str) -> bytes:
    """Return one row of about 1.1 kB, shaped like Bitquery's ``EVM.DEXTrades``."""
    digest = hashlib.sha256(str(number).encode()).hexdigest()

    def currency(name: str) -> dict[str, object]:
        return {
            "Name": f"{name} Token",
            "Symbol": name,
            "SmartContract": f"0x{digest[:40]}",
            "Decimals": 18,
            "Fungible": True,
        }

    def side(name: str, price: float) -> dict[str, object]:
        return {
            "Amount": f"{number % 9973}.{digest[:12]}",
            "AmountInUSD": f"{number % 97}.{number % 89:06}",
            "Price": price,
            "PriceInUSD": price * 1.0001,
            "Buyer": f"0x{digest[4:44]}",
            "Seller": f"0x{digest[8:48]}",
            "Currency": currency(name),
        }

    return json.dumps(
        {
            "Block": {"Time": moment, "Number": str(30_000_000 + number // 200), "Hash": f"0x{digest}"},
            "Transaction": {
                "Hash": f"0x{digest[::-1]}",
                "From": f"0x{digest[:40]}",
                "To": f"0x{digest[20:60]}",
                "Index": str(number % 200),
            },
            "Log": {"Index": number % 700, "SmartContract": f"0x{digest[10:50]}"},
            "Trade": {
                "Index": number % 3,
                "Dex": {"ProtocolName": "pancake_swap_v3", "ProtocolFamily": "Uniswap"},
                "Buy": side("WBNB", 0.0123 + number % 7),
                "Sell": side("USDT", 0.0 if number % 5 == 0 else 81.3),
            },
        },
        separators=(",", ":"),
    ).encode()


def frame(message: bytes) -> bytes:
    """Return ``message`` as one unmasked text frame (RFC 6455 §5.2)."""
    size = len(message)
    if size < 126:
        head = struct.pack("!BB", 0x81, size)
    elif size < 65_536:
        head = struct.pack("!BBH", 0x81, 126, size)
    else:
        head = struct.pack("!BBQ", 0x81, 127, size)
    return head + message


class Rows:
    """Frames of ``rows`` rows each, built once for all connections."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        count = max(1, min(DISTINCT_ROWS, 200 * rows if rows > 100 else DISTINCT_ROWS) // rows)
        self._bodies = [
            b",".join(row(number * rows + part, moment) for part in range(rows)) for number in range(count)
        ]
        self._chunks: dict[str, list[tuple[int, bytes]]] = {}

    def frames(self, operation: str) -> list[bytes]:
        """Every frame for the operation's id."""
        head = (
            b'{"id":%s,"type":"next","payload":{"data":{"EVM":{"DEXTrades":[' % json.dumps(operation).encode()
        )
        return [frame(b"%b%b]}}}}" % (head, body)) for body in self._bodies]

    def chunks(self, operation: str) -> list[tuple[int, bytes]]:
        """Frames joined to about `CHUNK_BYTES`, with their number of frames."""
        found = self._chunks.get(operation)
        if found is None:
            found = self._chunks[operation] = list(self._join(self.frames(operation)))
        return found

    @staticmethod
    def _join(frames: list[bytes]) -> Iterator[tuple[int, bytes]]:
        held: list[bytes] = []
        size = 0
        for one in frames:
            held.append(one)
            size += len(one)
            if size >= CHUNK_BYTES:
                yield len(held), b"".join(held)
                held, size = [], 0
        if held:
            yield len(held), b"".join(held)


class Feeder:
    """
    Serves `Rows`; ``rate`` is frames a second for each connection, ``None``: whatever the socket takes.

    With ``frames`` a connection brings about so many, in whole chunks, and is then silent.
    """

    def __init__(self, rows: Rows, rate: float | None, frames: int | None = None) -> None:
        self._rows = rows
        self._rate = rate
        self._frames = frames

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until the peer has enough."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            path = await self._upgrade(reader, writer)
            operation = await self._greet(reader, writer, plain=path.startswith("/plain"))
            feeding = asyncio.ensure_future(self._feed(writer, operation))
            try:
                while (message := await _receive(reader)) is not None:
                    if b'"ping"' in message[:40]:
                        writer.write(frame(b'{"type":"pong"}'))
            finally:
                feeding.cancel()
        writer.close()

    @staticmethod
    async def _upgrade(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = request.split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        accept = base64.b64encode(hashlib.sha1(headers["sec-websocket-key"].encode() + _MAGIC).digest())
        answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        answer += b"Sec-WebSocket-Accept: " + accept + b"\r\n"
        if "sec-websocket-protocol" in headers:
            answer += b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n"
        writer.write(answer + b"\r\n")
        return lines[0].split(" ")[1]

    @staticmethod
    async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, plain: bool) -> str:
        while (message := await _receive(reader)) is not None:
            if plain:
                return "1"
            told = json.loads(message)
            if told["type"] == "connection_init":
                writer.write(frame(b'{"type":"connection_ack"}'))
            elif told["type"] == "subscribe":
                return str(told["id"])
        raise ConnectionResetError

    async def _feed(self, writer: asyncio.StreamWriter, operation: str) -> None:
        with contextlib.suppress(ConnectionError):
            if self._rate is None:
                await self._flood(writer, operation)
            else:
                await self._paced(writer, operation, self._rate)

    async def _flood(self, writer: asyncio.StreamWriter, operation: str) -> None:
        sent = 0
        if self._frames is not None:
            print("begins", flush=True)
        while True:
            for count, chunk in self._rows.chunks(operation):
                writer.write(chunk)
                await writer.drain()
                sent += count
                if self._frames is not None and sent >= self._frames:
                    print(f"sent {sent}", flush=True)
                    return

    async def _paced(self, writer: asyncio.StreamWriter, operation: str, rate: float) -> None:
        frames = self._rows.frames(operation)
        began, sent = time.monotonic(), 0
        while True:
            due = int((time.monotonic() - began) * rate) + 1
            while sent < due:
                writer.write(frames[sent % len(frames)])
                sent += 1
            await writer.drain()
            await asyncio.sleep(max(0.0, began + sent / rate - time.monotonic()))


async def _receive(reader: asyncio.StreamReader) -> bytes | None:
    """Return a client's message; ``None`` at its Close."""
    first, second = await reader.readexactly(2)
    size = second & 0x7F
    if size == 126:
        (size,) = struct.unpack("!H", await reader.readexactly(2))
    elif size == 127:
        (size,) = struct.unpack("!Q", await reader.readexactly(8))
    mask = await reader.readexactly(4) if second & 0x80 else b""
    body = await reader.readexactly(size)
    if mask:
        body = bytes(letter ^ mask[place % 4] for place, letter in enumerate(body))
    return None if first & 0x0F == 8 else body


async def _main(arguments: argparse.Namespace) -> None:
    tls = None
    if arguments.certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(Path(arguments.certificate))
    feeder = Feeder(Rows(arguments.rows), arguments.rate, arguments.frames)
    server = await asyncio.start_server(feeder.serve, "127.0.0.1", 0, ssl=tls, limit=1 << 20, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10, help="rows of a frame")
    parser.add_argument("--rate", type=float, help="frames a second for each connection")
    parser.add_argument("--frames", type=int, help="for each connection, which is then silent")
    parser.add_argument("--certificate", help="a PEM file with key and chain: serve wss")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(parser.parse_args()))
