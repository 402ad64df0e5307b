"""Closing on purpose: what the peer still sends until it sees our Close is received, to the last row."""

import json
from typing import Any

import anyio
import pytest
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from connector.subscription import Transport
from connector.subscription.messages import Subprotocol
from tests.unit.subscription.driving import REQUEST, connect, number_of, transport
from tests.unit.subscription.servers import (
    BOTH,
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


async def live(url: str, **settings: Any) -> Transport:
    one = transport(url, **settings)
    await connect(one)
    await one.start(REQUEST)
    return one


async def drain(one: Transport, numbers: list[int], *, slowly: bool = False) -> None:
    """Receive to the end, which must be a quiet one."""
    while (result := await one.receive()) is not None:
        numbers.append(number_of(result))
        if slowly and len(numbers) % 100 == 0:
            await anyio.sleep(0.002)


@pytest.mark.parametrize("subprotocol", BOTH)
@pytest.mark.parametrize("slowly", [False, True])
async def test_every_row_that_was_sent_before_the_peer_saw_our_close_comes(
    slowly: bool, subprotocol: Subprotocol
) -> None:
    sent: list[int] = []

    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        for number in range(1_000_000):
            try:
                # Large, so that the buffers below hold thousands of rows and not hundreds of thousands.
                await connection.send(row(connection, number, size=2000))
                if number % 50 == 0 and subprotocol is MODERN:
                    await tell(connection, "ping")
            except ConnectionClosed:
                return
            sent.append(number)

    numbers: list[int] = []
    async with websocket_server(handler, speaks=[subprotocol], close_timeout=20) as stand:
        one = await live(stand.url, close_timeout=20)
        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                group.start_soon(lambda: drain(one, numbers, slowly=slowly))
                await until(lambda: len(numbers) > 500)
                await one.finish()
        await stand.until_unused()
    # The number after the last one that was entered may have gone out as its send was interrupted.
    assert numbers[: len(sent)] == sent
    assert len(numbers) - len(sent) in (0, 1)
    assert len(sent) > 500


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_a_burst_that_was_under_way_comes_whole(subprotocol: Subprotocol) -> None:
    burst = 20_000

    async def handler(peer: RawPeer) -> None:
        await peer.greet(subprotocol.value)
        kind = "next" if subprotocol is MODERN else "data"
        for number in range(burst):
            peer.frame(b'{"type":"%s","payload":{"data":{"n":[%d]}}}' % (kind.encode(), number))
            if number % 100 == 0:
                peer.frame(b'{"type":"ping"}')
        peer.frame(b'{"type":"complete","id":"1"}')
        peer.frame(b'{"type":"%s","payload":{"data":{"n":[%d]}}}' % (kind.encode(), burst))
        while (await peer.said())[0] != 8:
            pass
        peer.frame(b"\x03\xe8", opcode=8)
        peer.writer.write_eof()
        await peer.reader.read()

    numbers: list[int] = []
    async with raw_server(handler) as url:
        one = await live(url, close_timeout=20)
        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                group.start_soon(one.finish)
                await drain(one, numbers)
    assert numbers == list(range(burst + 1))


@pytest.mark.parametrize(("subprotocol", "word"), [(BOTH[0], "complete"), (BOTH[1], "stop")])
async def test_the_operation_is_ended_before_the_socket(subprotocol: Subprotocol, word: str) -> None:
    said: list[tuple[int, bytes]] = []

    async def handler(peer: RawPeer) -> None:
        await peer.greet(subprotocol.value)
        while not said or said[-1][0] != 8:
            said.append(await peer.said())
        peer.frame(said[-1][1], opcode=8)
        peer.writer.write_eof()

    async with raw_server(handler) as url:
        one = await live(url)
        await one.finish()
    assert [json.loads(content)["type"] for _, content in said[1:-1]][-1] == word
    assert said[-1] == (8, b"\x03\xe8")


@pytest.mark.parametrize("reads", [True, False])
async def test_a_peer_that_never_answers_our_close_is_left_at_the_deadline(reads: bool) -> None:
    ended = anyio.Event()

    async def handler(peer: RawPeer) -> None:
        await peer.greet()
        peer.frame(b'{"type":"next","payload":{"data":{"n":[1]}}}')
        while await peer.reader.read(65536):
            pass
        ended.set()

    numbers: list[int] = []
    async with raw_server(handler) as url:
        one = await live(url, close_timeout=0.2)
        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                if reads:
                    group.start_soon(drain, one, numbers)
                await one.finish()
            await ended.wait()
            if not reads:
                await drain(one, numbers)  # what had come is still to be had
    assert numbers == [1]


async def test_a_peer_that_takes_nothing_is_left_at_the_deadline() -> None:
    async def handler(peer: RawPeer) -> None:
        await peer.greet()
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await anyio.sleep_forever()

    async with raw_server(handler) as url:
        one = transport(url, close_timeout=0.2)
        await connect(one)
        big = type(REQUEST)("query { a }", variable_values={"x": "y" * 30_000_000})
        with anyio.move_on_after(0.1):
            await one.start(big)
        with anyio.fail_after(5):
            await one.finish()
            assert await one.receive() is None


async def test_a_peer_that_goes_away_meanwhile_is_a_quiet_end() -> None:
    async def handler(peer: RawPeer) -> None:
        await peer.greet()
        while (await peer.said())[0] != 8:
            pass
        peer.reset()

    async with raw_server(handler) as url:
        one = await live(url)
        numbers: list[int] = []
        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(drain, one, numbers)
                await one.finish()
    assert numbers == []


@pytest.mark.parametrize("kind", ["error", "complete", "connection_error"])
async def test_what_the_peer_says_of_the_end_meanwhile_is_no_error(kind: str) -> None:
    async def handler(peer: RawPeer) -> None:
        await peer.greet()
        while (await peer.said())[0] != 8:
            pass
        peer.frame(b'{"type":"%s","id":"1","payload":[{"message":"no"}]}' % kind.encode())
        peer.frame(b'{"type":"next","id":"1","payload":{"data":{"n":[1]}}}')
        peer.frame(b"\x03\xe8", opcode=8)
        peer.writer.write_eof()
        await peer.reader.read()

    async with raw_server(handler) as url:
        one = await live(url)
        numbers: list[int] = []
        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(drain, one, numbers)
                await one.finish()
    assert numbers == [1]


async def test_finishing_what_was_never_opened_does_nothing() -> None:
    await transport("ws://127.0.0.1:1").finish()


@pytest.mark.parametrize("steps", [1, 2])
async def test_finishing_before_the_operation_closes_the_socket(steps: int) -> None:
    seen: list[Any] = []

    async def handler(connection: ServerConnection) -> None:
        try:
            await told(connection)
            await tell(connection, "connection_ack")
            seen.append(await told(connection))
        except ConnectionClosed as error:
            seen.append(error.rcvd.code if error.rcvd else None)

    async with websocket_server(handler) as stand:
        one = transport(stand.url)
        await one.open()
        if steps == 2:
            await one.initialise()
        with anyio.fail_after(5):
            await one.finish()
        await until(lambda: seen)
        await stand.until_unused()
    assert seen == [1000]


async def test_finishing_twice_and_after_the_peer_is_quick() -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)

    async with websocket_server(handler) as stand:
        one = await live(stand.url)
        with anyio.fail_after(4):  # less than the close timeout
            await one.finish()
            await one.finish()
            assert await one.receive() is None


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_a_peer_that_wants_to_close_is_let(subprotocol: Subprotocol) -> None:
    opcodes: list[int] = []

    async def handler(peer: RawPeer) -> None:
        await peer.greet(subprotocol.value)
        for _ in range(3):  # init, operation, its end
            opcodes.append((await peer.said())[0])
        with anyio.move_on_after(0.3) as waiting:
            await peer.said()
        assert waiting.cancelled_caught, "we wait"
        peer.frame(b"\x03\xe8", opcode=8)
        await peer.writer.drain()
        opcodes.append((await peer.said())[0])

    async with raw_server(handler) as url:
        one = await live(url, peer_closes=True, close_timeout=60)
        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                group.start_soon(one.finish)
                await drain(one, [])
        await until(lambda: len(opcodes) == 4)
    assert opcodes == [1, 1, 1, 8]


async def test_a_peer_that_wants_to_close_and_does_not_is_told_to() -> None:
    opcodes: list[int] = []

    async def handler(peer: RawPeer) -> None:
        await peer.greet()
        while True:
            opcodes.append((await peer.said())[0])

    async with raw_server(handler) as url:
        one = await live(url, peer_closes=True, close_timeout=0.4)
        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                group.start_soon(one.finish)
                await drain(one, [])
    assert opcodes == [1, 1, 1, 8]
