"""Messages of any size, in any number of frames, and frames that are none."""

import pytest
from websockets.asyncio.server import ServerConnection

from connector.refusals import Action, classify
from connector.subscription.errors import (
    FramesRefused,
    SocketClosed,
)
from connector.subscription.messages import Subprotocol
from tests.unit.subscription.driving import deliver, transport
from tests.unit.subscription.servers import (
    BOTH,
    MODERN,
    RawPeer,
    greet,
    raw_server,
    row,
    tell,
    until,
    websocket_server,
)


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
