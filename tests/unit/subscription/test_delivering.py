"""Results, and how a session ends by the other side: nothing that came before the end is lost."""

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
import pytest
from websockets.asyncio.server import ServerConnection

from connector.subscription.errors import (
    ProtocolViolation,
    ServerCompleted,
    ServerRefused,
    SessionError,
    SocketClosed,
)
from connector.subscription.messages import Subprotocol
from tests.unit.subscription.driving import REQUEST, connect, deliver, live, number_of, result_in, transport
from tests.unit.subscription.servers import (
    BOTH,
    MODERN,
    RawPeer,
    greet,
    raw_server,
    row,
    tell,
    websocket_server,
)


async def from_server(
    ending: Callable[[ServerConnection], Awaitable[None]], subprotocol: Subprotocol, **settings: Any
) -> tuple[list[int], SessionError | None]:
    """Deliver from a server that sends a hundred rows and then does ``ending``."""

    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        for number in range(100):
            await connection.send(row(connection, number))
        await ending(connection)

    async with websocket_server(handler, speaks=[subprotocol]) as stand:
        found = await deliver(transport(stand.url, **settings))
        await stand.until_unused()
        return found


HUNDRED = list(range(100))


@pytest.mark.parametrize("subprotocol", BOTH)
@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 1012, 1013, 4400, 4401, 4403, 4408, 4409, 4429])
async def test_every_row_before_a_close_comes_and_then_its_code(code: int, subprotocol: Subprotocol) -> None:
    numbers, error = await from_server(lambda connection: connection.close(code, "why"), subprotocol)
    assert numbers == HUNDRED
    assert isinstance(error, SocketClosed)
    assert (error.symptom.place, error.symptom.close_code, error.symptom.texts) == ("close", code, ("why",))


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_a_close_without_a_code_is_1005(subprotocol: Subprotocol) -> None:
    async def handler(peer: RawPeer) -> None:
        await peer.greet(subprotocol.value)
        peer.frame(b"", opcode=8)
        peer.writer.write_eof()
        await peer.reader.read()

    async with raw_server(handler) as url:
        _, error = await deliver(transport(url))
    assert isinstance(error, SocketClosed)
    assert error.symptom.close_code == 1005


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_every_row_before_the_end_of_the_stream_comes(subprotocol: Subprotocol) -> None:
    kind = "next" if subprotocol is MODERN else "data"

    async def handler(peer: RawPeer) -> None:
        await peer.greet(subprotocol.value)
        for number in range(100):
            content = {"type": kind, "payload": {"data": {"n": [number]}}}
            peer.frame(json.dumps(content).encode())
        await peer.writer.drain()
        peer.writer.write_eof()
        await peer.reader.read()

    async with raw_server(handler) as url:
        numbers, error = await deliver(transport(url))
    assert numbers == HUNDRED
    assert isinstance(error, SocketClosed)
    assert error.symptom.close_code == 1006


async def test_a_reset_is_told() -> None:
    async def handler(peer: RawPeer) -> None:
        await peer.greet()
        assert b"connection_init" in (await peer.said())[1]
        assert b"subscribe" in (await peer.said())[1]
        peer.reset()

    async with raw_server(handler) as url:
        _, error = await deliver(transport(url))
    assert isinstance(error, SocketClosed)
    assert error.symptom.close_code == 1006


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_an_error_ends_it_with_its_texts(subprotocol: Subprotocol) -> None:
    async def ending(connection: ServerConnection) -> None:
        await tell(connection, "error", [{"message": "no table", "extensions": {"code": "X"}}], id="1")
        await connection.wait_closed()

    numbers, error = await from_server(ending, subprotocol)
    assert numbers == HUNDRED
    assert isinstance(error, ServerRefused)
    assert (error.symptom.place, error.symptom.texts) == ("stream", ("no table",))
    assert error.symptom.error_codes == ("X",)


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_a_connection_error_in_the_middle_ends_it(subprotocol: Subprotocol) -> None:
    async def ending(connection: ServerConnection) -> None:
        await tell(connection, "connection_error", "token expired")
        await connection.wait_closed()

    numbers, error = await from_server(ending, subprotocol)
    assert numbers == HUNDRED
    assert isinstance(error, ServerRefused)
    assert error.symptom.texts == ("token expired",)


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_complete_ends_it(subprotocol: Subprotocol) -> None:
    async def ending(connection: ServerConnection) -> None:
        await tell(connection, "complete", id="1")
        await connection.wait_closed()

    numbers, error = await from_server(ending, subprotocol)
    assert numbers == HUNDRED
    assert isinstance(error, ServerCompleted)


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_a_broken_message_ends_it(subprotocol: Subprotocol) -> None:
    async def ending(connection: ServerConnection) -> None:
        await connection.send("{")
        await connection.wait_closed()

    numbers, error = await from_server(ending, subprotocol)
    assert numbers == HUNDRED
    assert isinstance(error, ProtocolViolation)


async def test_rows_behind_a_ping_on_a_socket_that_the_peer_closed_come() -> None:
    sent = anyio.Event()

    async def handler(peer: RawPeer) -> None:
        await peer.greet()
        for number in range(200):
            peer.frame(b'{"type":"next","payload":{"data":{"n":[%d]}}}' % number)
            peer.frame(b'{"type":"ping"}')
        peer.frame(b"\x03\xe8", opcode=8)
        peer.writer.write_eof()
        await peer.writer.drain()
        sent.set()
        await peer.reader.read()

    async with raw_server(handler) as url:
        one = transport(url)
        await one.open()
        await sent.wait()
        await anyio.wait_all_tasks_blocked()
        await one.initialise()
        await one.start(REQUEST)
        assert [number_of(await one.receive()) for _ in range(200)] == list(range(200))
        with pytest.raises(SocketClosed, match="1000"):
            await one.receive()


@pytest.mark.parametrize("ping", [(9, b"there?"), (1, b'{"type":"ping"}')])
async def test_rows_between_pings_of_a_peer_that_has_closed_and_gone_are_received(
    ping: tuple[int, bytes],
) -> None:
    count = 2000
    gone = anyio.Event()

    async def handler(peer: RawPeer) -> None:
        await peer.greet()
        await peer.said()
        await peer.said()
        for number in range(count):
            if number % 20 == 0:
                peer.frame(ping[1], opcode=ping[0])
            peer.frame(
                b'{"type":"next","id":"1","payload":{"data":{"n":%d,"x":"%b"}}}' % (number, b"x" * 1000)
            )
        # As a server that exits: all that is written is sent, and nobody is there for what we answer.
        peer.writer.transport.close()
        gone.set()

    received = 0
    async with raw_server(handler) as url:
        one = transport(url)
        await connect(one)
        await one.start(REQUEST)
        await gone.wait()
        with suppress(SocketClosed):
            while await one.receive() is not None:
                received += 1
    assert received == count


async def test_a_result_keeps_its_bytes() -> None:
    payload = '{"data":{"n":[1.50]},"errors":[{"message":"no"}],"extensions":{"a":1}}'

    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await connection.send(f'{{"type":"next","payload":{payload}}}')
        await connection.wait_closed()

    async with websocket_server(handler) as stand:
        one = await live(stand.url)
        delivered = await one.receive()
        one.abort()
    assert delivered is not None
    assert payload.encode() in delivered.frame
    assert bytes(delivered.payload.data) == b'{"n":[1.50]}'
    assert bytes(delivered.payload.errors) == b'[{"message":"no"}]'
    assert result_in(delivered) == json.loads(payload)
