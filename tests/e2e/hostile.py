"""Servers that let a client begin, and then answer what no server should."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

from tests.e2e.malformed import CLOSE, GRANT, SECRET, TEXT, TOKEN, answer, frame, rows
from tests.standins.rows import make_row
from tests.standins.tokens import TokenAuthority

CALM = 2.2
"""Seconds of rows at the beginning of each session, after which its end is not one of a row of failures."""

PATIENCE = 20.0
"""Seconds until the client has answered or ended, on the busiest of machines."""

T = TypeVar("T")
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[int]:
    """Serve TCP connections while inside, at the port that this gives."""
    clients: set[asyncio.Task[None]] = set()

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            pass  # the client's affair
        finally:
            writer.close()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(run(reader, writer))
        clients.add(task)
        task.add_done_callback(clients.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for client in list(clients):
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)


def hidden(secret: str) -> bytes:
    """What stands for `SECRET`: the secret inside a JSON text."""
    written = json.dumps(secret)[1:-1].encode()
    assert len(written) == len(SECRET)
    return written


class HostileUpstream:
    """
    ``ordeals`` are put to whoever is connected, one after the other, a row before and after each.

    ``early`` ones come before the acknowledgement. ``owed`` holds the rows that have to be in Kafka, as
    bytes: those before an ordeal, and those after it where the client lives on; ``sent`` holds all of them.
    ``lived_on`` and ``ended`` hold the ordeals that the client took, and that ended the session; ``hung``
    those that did neither. ``calm`` counts, by feed, what happened after the last one.
    """

    def __init__(self, ordeals: Iterable[bytes], *, early: Iterable[bytes] = ()) -> None:
        self.ordeals = deque(ordeals)
        self.early = deque(early)
        self.owed: set[bytes] = set()
        self.sent: set[bytes] = set()
        self.lived_on: list[bytes] = []
        self.ended: list[bytes] = []
        self.hung: list[bytes] = []
        self.calm: Counter[str] = Counter()
        self.url = ""
        self._numbers: Counter[str] = Counter()

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[HostileUpstream]:
        """Listen while inside."""

        async def follow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await _Course(self, reader, writer).run()

        async with listening(follow) as port:
            self.url = f"ws://127.0.0.1:{port}/graphql"
            yield self

    def row(self, feed: str) -> bytes:
        """Return the next row of ``feed``."""
        self._numbers[feed] += 1
        row = make_row(feed, self._numbers[feed], int(time.time()))
        self.sent.add(row)
        return row


class _Course:
    """One connection."""

    def __init__(
        self, upstream: HostileUpstream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._upstream = upstream
        self._reader = reader
        self._writer = writer
        self._token = ""
        self._feed = ""
        self._initialised = asyncio.Event()
        self._operation: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._ended = asyncio.Event()
        self._answered = 0
        self._moved = asyncio.Event()

    async def run(self) -> None:
        """Follow it to its end."""
        upstream = self._upstream
        await self._upgrade()
        reading = asyncio.create_task(self._read())
        try:
            await self._within(self._initialised.wait())
            if upstream.early:
                await self._write(upstream.early.popleft())
            await self._write(frame(b'{"type":"connection_ack"}'))
            self._feed = await self._within(self._operation)
            await self._be_calm(CALM)
            while not self._ended.is_set() and upstream.ordeals:
                await self._try(upstream.ordeals.popleft())
            while not self._ended.is_set():
                await self._be_calm(0.5)
                upstream.calm[self._feed] += 1
            if len(upstream.ended) % 2:  # some stay after the client's Close
                await self._within(self._reader.read())
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _upgrade(self) -> None:
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        self._token = parse_qs(urlsplit(lines[0].split(" ")[1]).query)["token"][0]
        headers = dict(line.lower().split(": ", 1) for line in lines[1:-2])
        (key,) = [line.split(": ", 1)[1] for line in lines if line.lower().startswith("sec-websocket-key")]
        assert "graphql-transport-ws" in headers["sec-websocket-protocol"]
        digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        self._writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
        )

    @staticmethod
    async def _within(something: Awaitable[T]) -> T:
        async with asyncio.timeout(PATIENCE):
            return await something

    # What the client says

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                first, length = await self._reader.readexactly(2)
                length &= 0x7F
                if length >= 126:
                    length = int.from_bytes(await self._reader.readexactly(2 if length == 126 else 8))
                mask = await self._reader.readexactly(4)
                content = await self._reader.readexactly(length)
                if first & 0x0F == CLOSE:
                    break
                if first & 0x0F == TEXT:
                    self._hear(bytes(byte ^ mask[index % 4] for index, byte in enumerate(content)))
        self._ended.set()
        self._moved.set()

    def _hear(self, content: bytes) -> None:
        message = json.loads(content, parse_int=str)  # some are too long for an int
        payload = message.get("payload")
        match message["type"]:
            case "connection_init":
                self._initialised.set()
            case "subscribe":
                self._operation.set_result(payload["variables"]["feed"])
            case "pong" if isinstance(payload, dict) and "ordeal" in payload:
                self._answered = int(payload["ordeal"])
                self._moved.set()

    # What it is told

    async def _write(self, content: bytes) -> None:
        self._writer.write(content.replace(SECRET.encode(), hidden(self._token)))
        await self._writer.drain()

    async def _row(self) -> bytes:
        row = self._upstream.row(self._feed)
        await self._write(frame(rows(row.decode()).encode()))
        return row

    async def _be_calm(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._ended.is_set():
            row = await self._row()
            await asyncio.sleep(0.1)
            if not self._ended.is_set():
                self._upstream.owed.add(row)

    async def _try(self, ordeal: bytes) -> None:
        before = await self._row()
        await self._write(ordeal)
        after = await self._row()
        number = self._answered + 1
        await self._write(frame(json.dumps({"type": "ping", "payload": {"ordeal": number}}).encode()))
        until = time.monotonic() + PATIENCE
        while self._answered < number and not self._ended.is_set():
            if time.monotonic() > until:
                self._upstream.hung.append(ordeal)
                self._writer.transport.abort()
                return
            self._moved.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._moved.wait()
        has_lived_on = self._answered == number
        self._upstream.owed.update((before, after) if has_lived_on else (before,))
        (self._upstream.lived_on if has_lived_on else self._upstream.ended).append(ordeal)


class HostileTokens:
    """
    A token endpoint: gives ``answers``, each the bytes of a whole HTTP answer, one after the other, and then
    good ones.
    """

    def __init__(self, authority: TokenAuthority, answers: Iterable[bytes]) -> None:
        self.answers = deque(answers)
        self.url = ""
        self._authority = authority

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[HostileTokens]:
        """Listen while inside."""
        async with listening(self._answer) as port:
            self.url = f"http://127.0.0.1:{port}/oauth2/token"
            yield self

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        (length,) = [line for line in head.split("\r\n") if line.startswith("content-length:")]
        form = parse_qs((await reader.readexactly(int(length.partition(":")[2]))).decode())
        said = (
            self.answers.popleft() if self.answers else answer(200, GRANT.replace(":2,", ":3600,").encode())
        )
        said = said.replace(SECRET.encode(), hidden(form["client_secret"][0]))
        if TOKEN.encode() in said:
            said = said.replace(TOKEN.encode(), hidden(self._authority.issue()))
        writer.write(said)
        await writer.drain()
