"""
The feeder with a memory and a token endpoint: when sockets came, what was written, how many tokens.

Run as ``python -m tests.bench.upstream``; it prints the ports of the websocket and of HTTP. Over HTTP,
``POST /oauth2/token`` grants tokens of ``--token-life`` seconds, ``GET /told`` tells `Told` as JSON, and
after ``GET /hold`` no more rows are written. Nobody checks the tokens: what is measured is what a client does
about their life.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import time
from dataclasses import asdict, dataclass, field

from tests.bench.feeder import Feeder, Rows, frame
from tests.standins.httpd import HttpReply, HttpRequest, HttpServer

QUIET_PONG = 5.0
"""Seconds between frames without rows, half of what Bitquery's clients are told to take for a dead socket."""


@dataclass
class Told:
    """
    What happened so far: moments of ``time.monotonic``, one clock for all processes of a machine. ``rows``
    were written to sockets that their clients had not asked to close.
    """

    opened: list[float] = field(default_factory=list)
    subscribed: list[float] = field(default_factory=list)
    tokens: list[float] = field(default_factory=list)
    rows: int = 0
    open_now: int = 0


class Upstream(Feeder):
    """``rate`` of 0: sessions stay open, and no rows come."""

    def __init__(self, rows: Rows, rate: float | None) -> None:
        super().__init__(rows, rate)
        self._served, self._pace = rows, rate
        self._paced_frames = rows.frames("1")
        self._is_held = False
        self.told = Told()

    def hold(self) -> None:
        """Write no more rows; sessions stay open."""
        self._is_held = True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """See `Feeder`."""
        self.told.opened.append(time.monotonic())
        self.told.open_now += 1
        try:
            await super().serve(reader, writer)
        finally:
            self.told.open_now -= 1

    async def _feed(self, writer: asyncio.StreamWriter, operation: str) -> None:
        self.told.subscribed.append(time.monotonic())
        with contextlib.suppress(ConnectionError):
            if self._pace is None:
                await self._as_fast_as_taken(writer, operation)
            elif self._pace:
                await self._paced(writer, operation, self._pace)
            await self._nothing(writer)

    async def _as_fast_as_taken(self, writer: asyncio.StreamWriter, operation: str) -> None:
        chunks = self._served.chunks(operation)
        turn = 0
        while not self._is_held:
            count, chunk = chunks[turn % len(chunks)]
            turn += 1
            writer.write(chunk)
            self.told.rows += count * self._served.rows
            await writer.drain()

    async def _paced(self, writer: asyncio.StreamWriter, operation: str, rate: float) -> None:
        frames = self._paced_frames if operation == "1" else self._served.frames(operation)
        # Connections are not to send all at the same moment.
        sent = random.randrange(len(frames))
        began = time.monotonic() - sent / rate
        while not self._is_held:
            while sent < (time.monotonic() - began) * rate:
                writer.write(frames[sent % len(frames)])
                self.told.rows += self._served.rows
                sent += 1
            await writer.drain()
            await asyncio.sleep(max(0.0, began + (sent + random.random()) / rate - time.monotonic()))

    @staticmethod
    async def _nothing(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(random.uniform(0.0, QUIET_PONG))
        while True:
            writer.write(frame(b'{"type":"pong"}'))
            await writer.drain()
            await asyncio.sleep(QUIET_PONG)


async def _main(arguments: argparse.Namespace) -> None:
    upstream = Upstream(Rows(arguments.rows), arguments.rate)

    async def answer(request: HttpRequest) -> HttpReply:
        if request.path == "/told":
            return HttpReply(body=json.dumps(asdict(upstream.told)).encode())
        if request.path == "/hold":
            upstream.hold()
            return HttpReply(body=b"{}")
        upstream.told.tokens.append(time.monotonic())
        token = {
            "access_token": f"a-token-of-the-bench-{len(upstream.told.tokens)}",
            "token_type": "bearer",
            "expires_in": arguments.token_life,
            "scope": "api",
        }
        return HttpReply(body=json.dumps(token).encode(), headers=(("Cache-Control", "no-store"),))

    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0, limit=1 << 20, backlog=1024)
    async with HttpServer(answer) as http, server:
        print(server.sockets[0].getsockname()[1], http.port, flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10, help="rows of a frame")
    parser.add_argument(
        "--rate", type=float, help="frames a second for each connection; 0: none; absent: all it takes"
    )
    parser.add_argument("--token-life", type=int, default=3600, help="seconds")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(parser.parse_args()))
