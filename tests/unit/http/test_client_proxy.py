"""Token requests through proxies that refuse: each is told with its reason, and nothing is left open."""

from __future__ import annotations

import asyncio

import anyio
import pytest

from connector.http import HttpClient, ProxyFailed, Unreachable, open_tunnel, parse_proxy

from .loopback import http, saying, serving
from .proxies import PASSWORD_WANTED, WELCOME, Talk, answering, reply, socks, talking

USER = "somebody:hunter2hunter2"


async def refused(talk: Talk, scheme: str, *, user: str = "", url: str = "https://token.invalid/") -> str:
    """What is told of a request through a proxy that does ``talk``, without the address of the proxy."""
    async with talking(talk) as port:
        address = f"{scheme}://{user + '@' if user else ''}127.0.0.1:{port}"
        async with HttpClient(timeout=10, proxy=parse_proxy(address)) as client:
            with pytest.raises(Unreachable) as caught:
                await client.post_form(url, {"client_secret": "hunter2"})
    said = str(caught.value)
    assert "hunter2" not in said
    assert "somebody" not in said
    assert caught.value.__context__ is None
    assert f":{port} " in said
    return said.partition(f":{port} ")[2]


@pytest.mark.parametrize(
    ("status", "user", "said"),
    [
        ("407 Proxy Authentication Required", "", "wants a user and a password (HTTP 407)"),
        ("407 Proxy Authentication Required", USER, "does not accept user and password (HTTP 407)"),
        ("403 Forbidden", "", "refuses to connect to the host (HTTP 403)"),
        ("502 Bad Gateway", "", "cannot reach the host (HTTP 502)"),
        ("418 hunter2", "", "answered with HTTP 418"),
    ],
)
async def test_a_refused_tunnel_is_told(status: str, user: str, said: str) -> None:
    assert await refused(answering(http(status)), "http", user=user) == said


async def test_a_forwarding_proxys_own_refusal_is_not_taken_for_the_endpoints() -> None:
    said = await refused(answering(http("407 No")), "http", url="http://token.invalid/")
    assert said == "wants a user and a password (HTTP 407)"


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
async def test_a_proxy_that_is_not_there_is_told(scheme: str) -> None:
    async with HttpClient(proxy=parse_proxy(f"{scheme}://{USER}@127.0.0.1:1")) as client:
        with pytest.raises(Unreachable, match=r"the proxy .*:1 cannot be reached: ") as caught:
            await client.post_form("https://192.0.2.1/", {})
    assert "hunter2" not in str(caught.value)


async def test_a_forwarding_proxy_that_ends_without_a_word_is_named() -> None:
    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)

    async with talking(leave) as port:
        proxy = parse_proxy(f"http://{USER}@127.0.0.1:{port}")
        async with HttpClient(proxy=proxy) as client:
            with pytest.raises(Unreachable, match=r"through the proxy http://\*\*\*@127\.0\.0\.1"):
                await client.post_form("http://token.invalid/", {})


async def test_a_request_in_the_clear_is_forwarded_whole() -> None:
    async with serving(saying(http("204 No Content"))) as proxy:
        address = parse_proxy(f"http://{USER}@127.0.0.1:{proxy.port}")
        async with HttpClient(proxy=address) as client:
            assert (await client.post_form("http://token.invalid/x", {})).status == 204
    assert proxy.requests[0].startswith(b"POST http://token.invalid/x ")
    # printf 'somebody:hunter2hunter2' | base64
    assert b"c29tZWJvZHk6aHVudGVyMmh1bnRlcjI=" in proxy.requests[0]


# SOCKS


@pytest.mark.parametrize(
    ("replies", "user", "said"),
    [
        ([b"\x05\xff"], "", "wants a user and a password"),
        ([b"\x05\xff"], USER, "takes no user and password"),
        ([PASSWORD_WANTED, b"\x01\x01"], USER, "does not accept user and password"),
        ([PASSWORD_WANTED, WELCOME, reply(5)], USER, "cannot connect to the host: Connection refused"),
        ([b"\x05\x00", reply(4)], "", "cannot connect to the host: Host unreachable"),
        ([b"\x05\x00", reply(200)], "", "does not speak SOCKS5"),
        ([b"HTTP/1.1 400 Bad Request\r\n"], "", "does not speak SOCKS5"),
        ([b"\x05\x00", b"\x05"], "", "does not speak SOCKS5"),
    ],
)
async def test_a_refusal_of_socks_is_told(replies: list[bytes], user: str, said: str) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(0.5):
                await socks(*replies)(reader, writer)
        except TimeoutError:
            writer.close()

    assert (await refused(talk, "socks5h", user=user)).startswith(said)


async def test_a_request_goes_through_socks_and_comes_back_whole() -> None:
    asked: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(3)
        writer.write(b"\x05\x00")
        asked.append(await reader.read(512))
        writer.write(reply(0))
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(http("200 OK", b'{"a":1}'))

    async with talking(talk) as port, HttpClient(proxy=parse_proxy(f"socks5h://127.0.0.1:{port}")) as client:
        for _ in range(2):  # each on a connection of its own
            got = await client.post_form("http://token.invalid/x", {"b": "2"})
            assert (got.status, got.body) == (200, b'{"a":1}')
    assert b"token.invalid" in asked[0]
    assert asked[1].startswith(b"POST /x HTTP/1.1\r\n")
    assert len(asked) == 4


async def test_a_name_that_only_the_proxy_knows_wants_socks5h() -> None:
    async with talking(socks(b"\x05\x00")) as port:
        with pytest.raises(ProxyFailed, match="socks5h:// has the proxy resolve it"):
            await open_tunnel(parse_proxy(f"socks5://127.0.0.1:{port}"), "token.invalid", 443)


async def test_socks5_has_names_resolved_here() -> None:
    asked: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(3)
        writer.write(b"\x05\x00")
        asked.append(await reader.read(512))
        writer.write(reply(0))

    async with talking(talk) as port:
        sock = await open_tunnel(parse_proxy(f"socks5://127.0.0.1:{port}"), "localhost", 443)
        sock.close()
    assert asked == [b"\x05\x01\x00\x01\x7f\x00\x00\x01\x01\xbb"]


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_a_proxy_that_hangs_costs_a_deadline_and_no_connection(scheme: str) -> None:
    ended = anyio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(512):
            pass
        ended.set()

    async with talking(hang) as port:
        proxy = parse_proxy(f"{scheme}://127.0.0.1:{port}")
        client = HttpClient(timeout=0.9, proxy=proxy)
        with pytest.raises(Unreachable, match=f"not complete within 0.9 s through the proxy {proxy}"):
            await client.post_form("https://token.invalid/", {})
        with anyio.fail_after(60):
            await ended.wait()
        await client.__aexit__(None, None, None)


async def test_another_proxy_is_used_from_the_next_request_on() -> None:
    used: list[str] = []

    def named(name: str) -> Talk:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            used.append(name)
            writer.write(http("200 OK", b"{}"))
            await reader.read()

        return talk

    async with talking(named("first")) as first, talking(named("second")) as second:
        proxies = [parse_proxy(f"http://127.0.0.1:{port}") for port in (first, second)]
        async with HttpClient(timeout=10, proxy=proxies[0]) as client:
            await client.post_form("http://token.invalid/", {})
            client.reconfigure(proxy=proxies[1])
            await client.post_form("http://token.invalid/", {})
    assert used == ["first", "second"]
