"""Pings and pongs of both sides, and what else shows that the peer is there."""

from typing import Any

import anyio
import pytest
from websockets.asyncio.server import ServerConnection

from connector.subscription import Silent
from connector.subscription.channel import SLOW_MESSAGE, SLOWEST_RATE, Channel
from connector.subscription.errors import (
    SocketClosed,
)
from connector.subscription.messages import Subprotocol
from connector.subscription.protocol import Protocol
from connector.upstream import Opening
from tests.unit.subscription.driving import REQUEST, connect, deliver, live, number_of, transport
from tests.unit.subscription.servers import (
    BOTH,
    LEGACY,
    MODERN,
    RawPeer,
    greet,
    raw_server,
    row,
    tell,
    told,
    until,
    websocket_server,
)


async def test_we_ping_in_the_words_of_the_modern_subprotocol_and_hear_the_pong() -> None:
    async def handler(peer: RawPeer) -> None:
        await peer.greet()
        await peer.reader.read(10_000)
        await pinged.wait()
        peer.frame(b'{"type":"pong"}')  # and the websocket ping stays unanswered
        peer.frame(b'{"type":"next","payload":{"data":{"n":[1]}}}')
        await peer.reader.read()

    pinged = anyio.Event()
    async with raw_server(handler) as url:
        one = await live(url)
        await one.ping()
        before = one.last_heard_at
        pinged.set()
        assert number_of(await one.receive()) == 1
        assert one.last_heard_at > before
        one.abort()


@pytest.mark.parametrize(
    ("subprotocol", "probing", "opcodes"),
    [(MODERN, False, [1]), (LEGACY, False, [9]), (MODERN, True, [1, 9]), (LEGACY, True, [9])],
)
async def test_we_ping_in_one_way_and_probe_in_every(
    subprotocol: Subprotocol, probing: bool, opcodes: list[int]
) -> None:
    said: list[tuple[int, bytes]] = []

    async def handler(peer: RawPeer) -> None:
        await peer.greet(subprotocol.value)
        while True:
            said.append(await peer.said())

    async with raw_server(handler) as url:
        one = await live(url)
        await until(lambda: len(said) == 2)
        await (one.probe() if probing else one.ping())
        await until(lambda: len(said) == 2 + len(opcodes))
        one.abort()
    assert [opcode for opcode, _ in said[2:]] == opcodes
    assert all(content == b'{"type":"ping"}' for opcode, content in said[2:] if opcode == 1)


async def test_on_the_legacy_subprotocol_a_websocket_pong_is_heard_of() -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await connection.recv()  # nothing may come: there is no ping on this subprotocol

    async with websocket_server(handler, speaks=[LEGACY]) as stand:
        one = await live(stand.url)
        before = one.last_heard_at
        await one.ping()
        await until(lambda: one.last_heard_at > before)
        assert len(stand.server.connections) == 1
        one.abort()


@pytest.mark.parametrize("kind", ["ka", "pong", "something"])
@pytest.mark.parametrize("subprotocol", BOTH)
async def test_any_frame_is_heard_of(kind: str, subprotocol: Subprotocol) -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await tell(connection, kind)
        await connection.wait_closed()

    async with websocket_server(handler, speaks=[subprotocol]) as stand:
        one = await live(stand.url)
        before = one.last_heard_at
        async with anyio.create_task_group() as group:
            group.start_soon(one.receive)
            await until(lambda: one.last_heard_at > before)
            group.cancel_scope.cancel()
        one.abort()


ROW = b'{"type":"next","payload":{"data":{"n":[1]}}}'


@pytest.mark.parametrize("cut", ["in one frame", "into frames"])
async def test_each_piece_of_a_slow_message_is_heard_of(cut: str) -> None:
    more = anyio.Event()

    async def handler(peer: RawPeer) -> None:
        await peer.greet()
        for piece in pieces:
            await more_wanted()
            if cut == "into frames":
                peer.frame(piece, opcode=1 if piece is pieces[0] else 0, fin=piece is pieces[-1])
            else:
                peer.writer.write(piece)
            await peer.writer.drain()
        await peer.reader.read()

    async def more_wanted() -> None:
        nonlocal more
        await more.wait()
        more = anyio.Event()

    head = bytes([0x81, 126]) + len(ROW).to_bytes(2)  # not the shortest, and still to be read
    if cut == "in one frame":
        pieces = [head + ROW[:1], *(ROW[at : at + 4] for at in range(1, len(ROW), 4))]
    else:
        pieces = [ROW[at : at + 4] for at in range(0, len(ROW), 4)]
    async with raw_server(handler) as url, anyio.create_task_group() as group:
        one = await live(url)
        received: list[int] = []

        async def receive() -> None:
            received.append(number_of(await one.receive()))

        group.start_soon(receive)
        for _ in pieces:
            before = one.last_heard_at
            more.set()
            await until(lambda: one.last_heard_at > before)  # noqa: B023
        await until(lambda: received == [1])
        one.abort()
        group.cancel_scope.cancel()


@pytest.mark.parametrize(("came", "grace"), [(200, SLOW_MESSAGE), (100 * SLOWEST_RATE, SLOW_MESSAGE + 100)])
def test_who_sends_a_byte_now_and_then_for_ever_is_silent(came: int, grace: float) -> None:
    class Dripping:
        received_bytes = 0
        part_came_at = 0.0

    socket = Dripping()
    opening = Opening(url="ws://x", headers={}, init_payload=None)
    channel = Channel(socket, Protocol(MODERN), opening)  # type: ignore[arg-type]
    began_at = channel.last_heard_at
    socket.received_bytes = came
    socket.part_came_at = began_at + grace - 1
    assert channel.last_heard_at == socket.part_came_at
    socket.part_came_at = began_at + 10_000
    assert channel.last_heard_at == pytest.approx(began_at + grace, abs=1)


async def test_pings_of_the_server_are_answered_while_rows_flow() -> None:
    answers: list[Any] = []

    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        for number in range(3):
            await tell(connection, "ping", {"number": number})
            await (await connection.ping())
            await connection.send(row(connection, number))
            answers.append(await told(connection))
        await connection.close()

    async with websocket_server(handler, speaks=[MODERN]) as stand:
        numbers, _ = await deliver(transport(stand.url))
    assert numbers == [0, 1, 2]
    assert answers == [{"type": "pong", "payload": {"number": number}} for number in range(3)]


async def test_a_ping_on_a_closed_socket_says_nothing() -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)

    async with websocket_server(handler) as stand:
        one = await live(stand.url)
        with pytest.raises(SocketClosed):
            await one.receive()
        await one.ping()


async def test_a_peer_that_takes_nothing_does_not_hold_a_ping_for_ever() -> None:
    async def handler(peer: RawPeer) -> None:
        await peer.greet()
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await anyio.sleep_forever()

    async with raw_server(handler) as url:
        one = transport(url)
        await connect(one)
        big = type(REQUEST)("query { a }", variable_values={"x": "y" * 30_000_000})
        with anyio.move_on_after(0.2) as starting:
            await one.start(big)
        assert starting.cancelled_caught
        with anyio.move_on_after(0.2) as pinging:
            await one.ping()
        assert pinging.cancelled_caught
        one.abort(Silent(1.0))
        with anyio.fail_after(5), pytest.raises(Silent):
            await one.receive()
