"""Results, and how a session ends by the other side: nothing that came before the end is lost."""

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
import pytest
from websockets.asyncio.server import ServerConnection

from connector.refusals import Action, classify
from connector.subscription import Result, Silent, Transport
from connector.subscription.errors import (
    FramesRefused,
    ProtocolViolation,
    ServerCompleted,
    ServerRefused,
    SessionError,
    SocketClosed,
)
from connector.subscription.messages import Subprotocol
from tests.unit.subscription.servers import (
    BOTH,
    LEGACY,
    MODERN,
    REQUEST,
    RawPeer,
    greet,
    number_of,
    raw_server,
    row,
    tell,
    told,
    transport,
    until,
    websocket_server,
)


async def deliver(one: Transport) -> tuple[list[int], SessionError | None]:
    """Return the numbers of the rows that came, and how it ended."""
    numbers: list[int] = []
    try:
        with anyio.fail_after(20):
            await one.connect()
            async for result in one.subscribe(REQUEST):
                numbers.append(number_of(result))
    except SessionError as error:
        return numbers, error
    finally:
        one.abort()
    return numbers, None


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


# Sizes


@pytest.mark.parametrize("subprotocol", BOTH)
@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_a_message_of_three_megabytes_comes(compression: str | None, subprotocol: Subprotocol) -> None:
    big = "x" * 3_000_000

    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        kind = "next" if subprotocol is MODERN else "data"
        await tell(connection, kind, {"data": {"n": [1], "big": big}}, id="1")
        await connection.close()

    async with websocket_server(handler, speaks=[subprotocol], compression=compression) as stand:
        numbers, _ = await deliver(transport(stand.url))
    assert numbers == [1]


async def test_a_message_above_the_limit_is_1009_on_both_sides() -> None:
    seen: list[int | None] = []

    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await connection.send(row(connection, 1))
        await tell(connection, "next", {"data": {"n": ["x" * 2000]}}, id="1")
        await connection.wait_closed()
        seen.append(connection.close_code)

    async with websocket_server(handler, speaks=[MODERN]) as stand:
        numbers, error = await deliver(transport(stand.url, max_message_bytes=1000))
        await until(lambda: seen)
    assert (numbers, seen) == ([1], [1009])
    assert isinstance(error, SocketClosed)
    assert error.symptom.close_code == 1009


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (b"\xf1\x01x", 1002),  # reserved bits
        (b"\x83\x01x", 1002),  # an opcode that is none
        (b"\x80\x01x", 1002),  # a continuation of nothing
        (b"\x88\x02\x03\xed", 1002),  # a Close with a code that never travels
        (b"\x88\x03\x03\xe8\xff", 1007),  # a Close with a reason that is no text
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n" * 9, 1002),
    ],
)
async def test_broken_frames_are_told_from_a_close_of_the_server(frames: bytes, code: int) -> None:
    async def handler(peer: RawPeer) -> None:
        await peer.greet()
        peer.frame(b'{"type":"next","payload":{"data":{"n":[7]}}}')
        peer.writer.write(frames)
        await peer.writer.drain()
        await peer.reader.read()

    async with raw_server(handler) as url:
        numbers, error = await deliver(transport(url, close_timeout=0.1))
    assert numbers == [7]
    assert isinstance(error, FramesRefused)
    assert classify(error.symptom).action is Action.RECONNECT
    assert str(error).endswith(f"refused with {code}")


async def test_a_peer_that_stays_after_its_close_is_left() -> None:
    async def handler(peer: RawPeer) -> None:
        await peer.greet()
        peer.frame(b'{"type":"next","payload":{"data":{"n":[7]}}}')
        peer.frame(b"\x0f\xa1bye", opcode=8)
        await peer.writer.drain()
        await peer.reader.read()  # and its side stays open

    async with raw_server(handler) as url:
        numbers, error = await deliver(transport(url, close_timeout=0.1))
    assert numbers == [7]
    assert isinstance(error, SocketClosed)
    assert (error.symptom.close_code, error.symptom.texts) == (4001, ("bye",))


async def test_a_message_in_fragments_comes_whole() -> None:
    content = b'{"type":"next","payload":{"data":{"n":[7]}}}'

    async def handler(peer: RawPeer) -> None:
        await peer.greet()
        for index, byte in enumerate(content):
            peer.frame(bytes([byte]), opcode=0 if index else 1, fin=index == len(content) - 1)
            peer.frame(b"in between", opcode=9)
        peer.frame(content)
        peer.frame(content[:9], fin=False)  # what is not finished is no message
        await peer.writer.drain()
        peer.writer.write_eof()
        await peer.reader.read()

    async with raw_server(handler) as url:
        numbers, error = await deliver(transport(url))
    assert numbers == [7, 7]
    assert isinstance(error, SocketClosed)


async def test_too_many_fragments_end_it_as_too_big() -> None:
    async def handler(peer: RawPeer) -> None:
        await peer.greet()
        peer.frame(b"{", fin=False)
        for _ in range(5000):
            peer.frame(b" ", opcode=0, fin=False)
        await peer.writer.drain()
        await peer.reader.read()

    async with raw_server(handler) as url:
        _, error = await deliver(transport(url, close_timeout=0.1))
    assert isinstance(error, SocketClosed)
    assert error.symptom.close_code == 1009


async def test_a_binary_message_is_read_as_a_text() -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await connection.send(row(connection, 1).encode(), text=False)
        await connection.close()

    async with websocket_server(handler) as stand:
        numbers, _ = await deliver(transport(stand.url))
    assert numbers == [1]


# Signs of life


async def live(url: str) -> Transport:
    one = transport(url)
    await one.connect()
    await one.start(REQUEST)
    return one


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
        before = one.last_heard_at = one.last_heard_at - 100
        pinged.set()
        assert number_of(await one.receive()) == 1
        assert one.last_heard_at >= before + 100
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
        before = one.last_heard_at = one.last_heard_at - 100
        await one.ping()
        await until(lambda: one.last_heard_at >= before + 100)
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
        one.last_heard_at = 0.0
        async with anyio.create_task_group() as group:
            group.start_soon(one.receive)
            await until(lambda: one.last_heard_at)
            group.cancel_scope.cancel()
        one.abort()


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
        await one.connect()
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


# Aborting


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
        await one.connect()
        await one.start(REQUEST)
        with anyio.fail_after(5), pytest.raises(SocketClosed, match="4401 Unauthorized"):
            await one.receive()


async def test_abort_before_anything_was_opened_says_nothing() -> None:
    transport("ws://127.0.0.1:1").abort()


async def test_a_result_keeps_its_bytes_and_decodes_when_asked() -> None:
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
    result = Result(delivered.frame, delivered.payload)
    assert payload.encode() in result.frame
    assert bytes(result.payload.data) == b'{"n":[1.50]}'
    assert (result.data, result.extensions) == ({"n": [1.5]}, {"a": 1})
    assert result.errors is not None
    assert [error.message for error in result.errors] == ["no"]
    assert "1.5" not in repr(result)


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
        await one.connect()
        await one.start(REQUEST)
        await gone.wait()
        with suppress(SocketClosed):
            while await one.receive() is not None:
                received += 1
    assert received == count
