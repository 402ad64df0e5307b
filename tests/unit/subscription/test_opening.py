"""Negotiation, credentials, and upgrades that are not answered, or by nothing that can be understood."""

import socket
from typing import Any

import anyio
import pytest
from websockets.asyncio.server import ServerConnection

from connector.subscription import SessionError
from connector.subscription.errors import ConnectFailed, HandshakeRefused, SubprotocolRefused
from connector.subscription.messages import Subprotocol
from connector.upstream import Target
from tests.unit.subscription.driving import TOKEN, connect, transport, with_token
from tests.unit.subscription.servers import (
    BOTH,
    LEGACY,
    MODERN,
    RawPeer,
    acknowledge,
    raw_server,
    tell,
    told,
    websocket_server,
)

# Subprotocols


@pytest.mark.parametrize("speaks", [[MODERN], [LEGACY], [MODERN, LEGACY], [LEGACY, MODERN]])
async def test_the_server_selects_the_subprotocol(speaks: list[Subprotocol]) -> None:
    chosen: list[str | None] = []

    async def handler(connection: ServerConnection) -> None:
        chosen.append(connection.subprotocol)
        await acknowledge(connection)

    async with websocket_server(handler, speaks=speaks) as stand:
        one = transport(stand.url)
        await connect(one)
        one.abort()
    assert chosen == [speaks[0].value]


@pytest.mark.parametrize("offered", [(MODERN, LEGACY), (LEGACY, MODERN), (LEGACY,), (MODERN,)])
async def test_what_is_offered_is_offered_in_that_order(offered: tuple[Subprotocol, ...]) -> None:
    seen: list[str] = []

    async def handler(peer: RawPeer) -> None:
        seen.append((await peer.request())["sec-websocket-protocol"])

    async with raw_server(handler) as url:
        with pytest.raises(ConnectFailed):
            await connect(transport(url, subprotocols=offered))
    assert seen == [", ".join(name.value for name in offered)]


async def test_a_server_that_selects_none_is_refused() -> None:
    async with websocket_server(acknowledge, speaks=[]) as stand:
        with pytest.raises(SubprotocolRefused, match=r"graphql-transport-ws, graphql-ws"):
            await connect(transport(stand.url))
        await stand.until_unused()


async def test_a_server_that_selects_what_was_not_offered_is_refused() -> None:
    async def handler(peer: RawPeer) -> None:
        await peer.upgrade("mqtt")
        await peer.reader.read()

    async with raw_server(handler) as url:
        with pytest.raises(SubprotocolRefused, match=r"graphql-ws"):
            await connect(transport(url))


# Credentials


@pytest.mark.parametrize("subprotocol", BOTH)
@pytest.mark.parametrize("place", ["url", "header", "init"])
async def test_the_token_arrives_as_it_is(place: str, subprotocol: Subprotocol) -> None:
    seen: list[Any] = []

    async def handler(connection: ServerConnection) -> None:
        assert connection.request is not None
        init = await told(connection)
        seen.append(
            {
                "url": connection.request.path,
                "header": connection.request.headers.get("Authorization"),
                "init": init.get("payload"),
            }
        )
        await tell(connection, "connection_ack")
        await connection.wait_closed()

    async with websocket_server(handler, speaks=[subprotocol]) as stand:
        one = transport(stand.url, opening=with_token(stand.url, place))
        await connect(one)
        one.abort()
    expected: dict[str, object] = {"url": "/graphql", "header": None, "init": None}
    expected[place] = {
        "url": "/graphql?token=ory_at_Zq%2Bb%2Fc%3Dd%25e%22f",
        "header": f"Bearer {TOKEN}",
        "init": {"Authorization": f"Bearer {TOKEN}"},
    }[place]
    assert seen == [expected]


# No answer, or none that can be understood


async def test_a_slow_upgrade_is_given_up() -> None:
    gone = anyio.Event()

    async def handler(peer: RawPeer) -> None:
        await peer.request()
        await peer.reader.read()
        gone.set()

    async with raw_server(handler) as url:
        with pytest.raises(ConnectFailed, match=r"within 0\.2 s"):
            await connect(transport(url, open_timeout=0.2))
        with anyio.fail_after(5):
            await gone.wait()


async def test_a_refused_port_is_told() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{bound.getsockname()[1]}/"
        with pytest.raises(ConnectFailed, match="cannot connect: Connect call failed"):
            await connect(transport(url))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"hello\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
        b"\xff" * 100_000,
    ],
    ids=range(9),
)
async def test_an_answer_that_is_none_is_told(answer: bytes) -> None:
    async def handler(peer: RawPeer) -> None:
        await peer.request()
        peer.writer.write(answer)
        await peer.writer.drain()

    async with raw_server(handler) as url:
        with pytest.raises((ConnectFailed, HandshakeRefused)):
            await connect(transport(url))


async def test_a_reset_during_the_upgrade_is_told() -> None:
    async def handler(peer: RawPeer) -> None:
        await peer.request()
        peer.reset()

    async with raw_server(handler) as url:
        with pytest.raises(ConnectFailed):
            await connect(transport(url))


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "ws://", "ws://[::1", "ws://127.0.0.1:99999/", "nonsense"]
)
async def test_an_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(ConnectFailed):
        await connect(transport(url))


@pytest.mark.parametrize(
    ("ours", "headers", "seen"),
    [
        ("product/1.0", {}, "product/1.0"),
        ("product/1.0", {"user-agent": "theirs"}, "theirs"),
        (None, {}, None),
    ],
)
async def test_we_say_who_we_are_unless_the_user_says_otherwise(
    ours: str | None, headers: dict[str, str], seen: str | None
) -> None:
    said: list[str] = []

    async def handler(peer: RawPeer) -> None:
        request = (await peer.reader.readuntil(b"\r\n\r\n")).decode()
        said.extend(line for line in request.splitlines() if line.lower().startswith("user-agent:"))

    async with raw_server(handler) as url:
        one = transport(url, opening=Target(url=url, headers=headers).opening(None), user_agent=ours)
        with pytest.raises(SessionError):
            await one.open()
    assert [line.partition(": ")[2] for line in said] == ([seen] if seen else [])
