"""A transport that is aborted says why, after all that had come."""

import anyio
import pytest
from websockets.asyncio.server import ServerConnection

from connector.subscription import Silent
from connector.subscription.errors import (
    SocketClosed,
)
from tests.unit.subscription.driving import REQUEST, connect, live, number_of, transport
from tests.unit.subscription.servers import (
    RawPeer,
    greet,
    raw_server,
    row,
    websocket_server,
)


async def test_abort_gives_its_reason_after_what_had_come() -> None:
    sent = anyio.Event()

    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        for number in range(5):
            await connection.send(row(connection, number))
        await (await connection.ping())  # answered by who has read all before it
        sent.set()
        await connection.wait_closed()

    async with websocket_server(handler) as stand:
        one = await live(stand.url)
        await sent.wait()
        one.abort(Silent(3.0))
        one.abort(Silent(4.0))
        assert [number_of(await one.receive()) for _ in range(5)] == [0, 1, 2, 3, 4]
        with pytest.raises(Silent, match=r"3\.0 s"):
            await one.receive()
        await stand.until_unused()


async def test_the_close_of_a_peer_that_left_the_stream_open_outranks_our_reason() -> None:
    async def handler(peer: RawPeer) -> None:
        await peer.greet()
        peer.frame(b"\x11\x31Unauthorized", opcode=8)
        while (await peer.said())[0] != 8:
            pass
        one.abort(Silent(1.0))

    async with raw_server(handler) as url:
        one = transport(url)
        await connect(one)
        await one.start(REQUEST)
        with anyio.fail_after(5), pytest.raises(SocketClosed, match="4401 Unauthorized"):
            await one.receive()


async def test_abort_before_anything_was_opened_says_nothing() -> None:
    transport("ws://127.0.0.1:1").abort()
