"""Proxies made of bytes, so that they may refuse, stammer, and talk nonsense."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[int]:
    """The port of a server that does ``talk`` with each connection, and then ends it."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client had enough
        finally:
            writer.close()

    listener = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()


def answering(raw: bytes) -> Talk:
    """Answer each request's head so."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        await reader.read()

    return talk


def socks(*replies: bytes) -> Talk:
    """Give these replies in turn, one for each message of the client, each byte by itself."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in replies:
            await reader.read(512)
            for byte in reply:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.001)
        await reader.read()

    return talk


PASSWORD_WANTED = b"\x05\x02"
WELCOME = b"\x01\x00"


def reply(code: int) -> bytes:
    """RFC 1928 §6: the answer to CONNECT; 0 is success."""
    return bytes([5, code, 0, 1, 0, 0, 0, 0, 0, 0])
