"""Sockets through proxies: each way in which they fail to open is told, and nothing leaks."""

from __future__ import annotations

import asyncio
import base64
import gc

import anyio
import pytest

from connector.http import parse_proxy
from connector.subscription.errors import ConnectFailed, HandshakeRefused
from tests.unit.http.loopback import http
from tests.unit.http.proxies import PASSWORD_WANTED, WELCOME, Talk, answering, reply, socks, talking
from tests.unit.subscription.driving import connect, refused, transport

USER = "somebody:hunter2hunter2"
FAR = "wss://upstream.invalid/graphql"


async def refused_by_proxy(talk: Talk, scheme: str, *, user: str = "", url: str = FAR) -> str:
    """Why the socket was not opened, behind the address of the proxy."""
    async with talking(talk) as port:
        proxy = parse_proxy(f"{scheme}://{user + '@' if user else ''}127.0.0.1:{port}")
        said = await refused(url, proxy=proxy)
    assert said.startswith("the proxy ")
    return said.partition(f":{port} ")[2]


@pytest.mark.parametrize("url", [FAR, FAR.replace("wss:", "ws:")])
@pytest.mark.parametrize(
    ("status", "user", "said"),
    [
        ("407 Proxy Authentication Required", "", "wants a user and a password (HTTP 407)"),
        ("407 Proxy Authentication Required", USER, "does not accept user and password (HTTP 407)"),
        ("403 Forbidden", "", "refuses to connect to the host (HTTP 403)"),
        ("502 Bad Gateway", "", "cannot reach the host (HTTP 502)"),
    ],
)
async def test_a_refused_tunnel_is_told(status: str, user: str, said: str, url: str) -> None:
    assert await refused_by_proxy(answering(http(status)), "http", user=user, url=url) == said


@pytest.mark.parametrize("raw", [b"SSH-2.0-OpenSSH_9.9\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
async def test_a_proxy_that_is_none_is_told(raw: bytes) -> None:
    assert await refused_by_proxy(answering(raw), "http") == "does not answer as an HTTP proxy does"


@pytest.mark.parametrize(
    ("replies", "user", "said"),
    [
        ([b"\x05\xff"], "", "wants a user and a password"),
        ([PASSWORD_WANTED, b"\x01\x01"], USER, "does not accept user and password"),
        (
            [PASSWORD_WANTED, WELCOME, reply(5)],
            USER,
            "cannot connect to the host: Connection refused by destination host",
        ),
    ],
)
async def test_a_refusal_of_socks_is_told(replies: list[bytes], user: str, said: str) -> None:
    assert await refused_by_proxy(socks(*replies), "socks5h", user=user) == said


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_a_proxy_that_is_not_there_is_told(scheme: str) -> None:
    said = await refused(FAR, proxy=parse_proxy(f"{scheme}://{USER}@127.0.0.1:1"))
    assert said.startswith(f"the proxy {scheme}://***@127.0.0.1:1 cannot be reached: ")


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_a_proxy_that_hangs_costs_a_deadline_and_no_connection(scheme: str) -> None:
    ended = anyio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(512):
            pass
        ended.set()

    async with talking(hang) as port:
        proxy = parse_proxy(f"{scheme}://127.0.0.1:{port}")
        said = await refused(FAR, proxy=proxy, open_timeout=1.0)
        assert said == f"no answer to the upgrade within 1 s through the proxy {proxy}"
        with anyio.fail_after(10):
            await ended.wait()


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_the_proxy_learns_host_and_port_and_not_the_token(scheme: str) -> None:
    heard = bytearray()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if scheme == "socks5h":
            await reader.read(4)
            writer.write(PASSWORD_WANTED)
            await reader.read(512)
            writer.write(WELCOME)
            heard.extend(await reader.read(512))
            writer.write(reply(1))
        else:
            heard.extend(await reader.readuntil(b"\r\n\r\n"))
            writer.write(http("502 Bad Gateway"))

    await refused_by_proxy(listen, scheme, user=USER, url="ws://upstream.invalid:8080/graphql")
    assert b"upstream.invalid" in heard
    assert b"ory_at" not in heard
    assert b"/graphql" not in heard
    if scheme == "http":
        assert heard.startswith(b"CONNECT upstream.invalid:8080 HTTP/1.1\r\n")
        assert base64.b64encode(USER.encode()) in heard


async def test_an_upgrade_refused_behind_a_socks_proxy_is_the_servers_and_closes_the_socket() -> None:
    ended = anyio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(3)
        writer.write(b"\x05\x00")
        await reader.read(512)
        writer.write(reply(0))
        await reader.readuntil(b"\r\n\r\n")
        writer.write(http("401 Unauthorized"))
        await reader.read()
        ended.set()

    async with talking(talk) as port:
        url = "ws://upstream.invalid/"
        with pytest.raises(HandshakeRefused):
            await connect(transport(url, proxy=parse_proxy(f"socks5h://127.0.0.1:{port}")))
        gc.collect()  # what was left open would warn here
        with anyio.fail_after(10):
            await ended.wait()


async def test_a_tunnel_that_the_library_never_took_is_closed() -> None:
    ended = anyio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(3)
        writer.write(b"\x05\x00")
        await reader.read(512)
        writer.write(reply(0))
        await reader.read()
        ended.set()

    async with talking(talk) as port:
        # A fragment, which the library refuses before it connects.
        one = transport("ws://upstream.invalid/#x", proxy=parse_proxy(f"socks5h://127.0.0.1:{port}"))
        with pytest.raises(ConnectFailed):
            await connect(one)
        with anyio.fail_after(10):
            await ended.wait()


async def test_the_environment_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "ws_proxy", "socks_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    said = await refused("ws://upstream.invalid/")
    assert "proxy" not in said
