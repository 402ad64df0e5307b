"""A tiny HTTP server on loopback whose answers are bytes, so that they may be wrong."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

#: Writes an answer, or part of one; the connection is closed once it returns.
Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """Where it listens, and the requests it has read whole."""

    port: int = 0
    scheme: str = "http"
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address of its one resource."""
        return f"{self.scheme}://127.0.0.1:{self.port}/oauth2/token"


@asynccontextmanager
async def serving(answer: Answer, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """Answer each connection's first request by ``answer`` while the body of the `async with` runs."""
    server = Server(scheme="https" if tls else "http")

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            body = await reader.readexactly(int(length[0].partition(b":")[2])) if length else b""
            server.requests.append(head + body)
            await answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # the client had enough
        finally:
            writer.close()

    listener = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()


def saying(raw: bytes) -> Answer:
    """Answer exactly these bytes."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    return answer


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    """Render an answer with its length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
