"""CONNECT to the byte: what is asked, and that nothing of the host's is taken for the proxy's."""

from __future__ import annotations

import asyncio

import anyio
import pytest

from connector.http import ProxyFailed, open_tunnel, parse_proxy

from .proxies import Talk, talking


def by_bytes(raw: bytes) -> Talk:
    """Answer the request's head, each byte by itself, and end."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for byte in raw:
            writer.write(bytes([byte]))
            await writer.drain()

    return talk


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 Connection established\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nProxy-Agent: x\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 299 \r\n\r\n",
        b"HTTP/1.1 200\nX: y\n\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"http/1.1\t200\tOK\r\n\r\n",
    ],
)
async def test_what_stands_behind_the_head_is_the_hosts(head: bytes) -> None:
    async with talking(by_bytes(head + b"220 hello")) as port:
        sock = await open_tunnel(parse_proxy(f"http://127.0.0.1:{port}"), "host.invalid", 25)
        with sock:
            heard = b""
            while len(heard) < 9:
                heard += await asyncio.get_running_loop().sock_recv(sock, 100)
    assert heard == b"220 hello"


@pytest.mark.parametrize(
    "raw", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/2 200\r\n\r\n", b"\r\n\r\n", b"\x05\x00\r\n\r\n"]
)
async def test_what_is_no_answer_of_a_proxy_is_told(raw: bytes) -> None:
    async with talking(by_bytes(raw)) as port:
        with pytest.raises(ProxyFailed, match="does not answer as an HTTP proxy does"):
            await open_tunnel(parse_proxy(f"http://127.0.0.1:{port}"), "host.invalid", 25)


async def test_a_head_without_end_is_given_up() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        while True:
            writer.write(b"X: y\r\n" * 100)
            await writer.drain()

    async with talking(endless) as port:
        with anyio.fail_after(30), pytest.raises(ProxyFailed):
            await open_tunnel(parse_proxy(f"http://127.0.0.1:{port}"), "host.invalid", 25)


@pytest.mark.parametrize(
    ("user", "host", "expected"),
    [
        ("", "host.invalid", [b"CONNECT host.invalid:25 HTTP/1.1", b"Host: host.invalid:25"]),
        ("", "fd00::1", [b"CONNECT [fd00::1]:25 HTTP/1.1", b"Host: [fd00::1]:25"]),
        # printf 'mü:s:cr@t' | base64
        ("m%C3%BC:s:cr%40t@", "h", [b"Proxy-Authorization: Basic bcO8OnM6Y3JAdA=="]),
    ],
)
async def test_the_request_names_the_host_and_who_asks(user: str, host: str, expected: list[bytes]) -> None:
    asked: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))

    async with talking(listen) as port:
        with pytest.raises(ProxyFailed):
            await open_tunnel(parse_proxy(f"http://{user}127.0.0.1:{port}"), host, 25)
    lines = asked[0].split(b"\r\n")
    assert all(line in lines for line in expected)
