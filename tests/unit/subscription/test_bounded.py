"""What waits between the peer and whoever reads is bounded in bytes, in both directions."""

from __future__ import annotations

import asyncio
import contextlib
import json
import zlib
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from websockets.asyncio.server import ServerConnection
from websockets.frames import Frame, Opcode

from connector.subscription.connection import MOST_WAITING, ReadingConnection
from connector.subscription.errors import ConnectFailed, NothingTaken, SessionError
from connector.subscription.frame_turns import MOST_FRAMES
from connector.subscription.protocol import LONGEST_PONG
from connector.subscription.transport import Transport
from tests.unit.subscription.driving import REQUEST, connect, deliver, live, results_of, transport
from tests.unit.subscription.servers import (
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

MIB = 2**20


def socket_of(one: Transport) -> ReadingConnection:
    assert one._channel is not None
    return one._channel.socket


def waiting_in(one: Transport) -> int:
    return sum(len(frame.data) for frame in socket_of(one).recv_messages.frames.queue)


def deflated(text: bytes) -> bytes:
    """Return the payload of a frame with ``text`` (RFC 7692 §7.2.1), without context."""
    packer = zlib.compressobj(wbits=-15)
    return (packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


def deflated_frame(text: bytes) -> bytes:
    content = deflated(text)
    return b"\xc1\x7f" + len(content).to_bytes(8, "big") + content


async def upgrade_with(peer: RawPeer, extension: str) -> None:
    """Answer the upgrade, and select ``extension``."""
    lines: list[bytes] = []
    write = peer.writer.write
    peer.writer.write = lines.append  # type: ignore[method-assign, assignment]
    await peer.upgrade()
    peer.writer.write = write  # type: ignore[method-assign]
    (answer,) = lines
    write(answer[:-2] + f"Sec-WebSocket-Extensions: {extension}\r\n\r\n".encode())


@pytest.mark.parametrize("text", [b'{"type":"ping","payload":"%b"}', b'{"type":"ka","x":"%b"}', b"[%b"])
async def test_what_compressed_messages_become_waits_in_bounded_memory(text: bytes) -> None:
    async def handler(peer: RawPeer) -> None:
        await upgrade_with(peer, "permessage-deflate; server_no_context_takeover")
        await peer.said()
        one = deflated_frame(text % (b"0," * (2 * MIB)))
        peer.frame(b'{"type":"connection_ack"}')
        peer.writer.write(one * 100)
        await peer.writer.drain()
        await peer.reader.read()

    async with raw_server(handler) as url:
        one = transport(url)
        await connect(one)
        await until(lambda: waiting_in(one) > MOST_WAITING)
        for _ in range(50):
            await anyio.sleep(0.01)
            assert waiting_in(one) <= MOST_WAITING + 2 * 4 * MIB + 100
        assert socket_of(one).recv_messages.paused
        one.abort()


async def test_what_follows_the_upgrade_in_one_piece_is_bounded_too() -> None:
    async def handler(peer: RawPeer) -> None:
        write = peer.writer.write
        gathered = bytearray()
        peer.writer.write = gathered.extend  # type: ignore[method-assign, assignment]
        await upgrade_with(peer, "permessage-deflate; server_no_context_takeover")
        gathered.extend(deflated_frame(b"[" + b"0," * (2 * MIB)) * 20)
        peer.writer.write = write  # type: ignore[method-assign]
        write(bytes(gathered))
        await peer.reader.read()

    async with raw_server(handler) as url:
        one = transport(url)
        await one.open()
        for _ in range(20):
            await anyio.sleep(0.01)
            assert waiting_in(one) <= MOST_WAITING + 2 * 4 * MIB
        one.abort()


@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize("size", [0, 300_000])
async def test_every_row_comes_although_reading_stops_now_and_then(
    compression: str | None, size: int
) -> None:
    count = 3_000_000 // (size or 1000)

    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        for number in range(count):
            await connection.send(row(connection, number, size=size))
        await connection.close()

    async with websocket_server(handler, speaks=[MODERN], compression=compression) as stand:
        one = transport(stand.url)
        await connect(one)
        numbers: list[int] = []
        async for result in results_of(one, REQUEST):
            if len(numbers) % (count // 5 + 1) == 0:
                await anyio.sleep(0.05)
            numbers.append(json.loads(result.frame)["payload"]["data"]["n"][0])
            if len(numbers) == count:
                break
        one.abort()
    assert numbers == list(range(count))


async def ended(one: Transport) -> SessionError:
    with anyio.fail_after(30):
        try:
            while await one.receive() is not None:
                pass
        except SessionError as error:
            return error
    raise AssertionError("it went on")


@pytest.mark.parametrize(
    "ping", [b'{"type":"ping","payload":{"x":"%b"}}' % (b"y" * 4000), b'{"type":"ping"}']
)
async def test_a_peer_that_pings_and_reads_nothing_is_left_and_its_pongs_do_not_pile_up(ping: bytes) -> None:
    async def handler(peer: RawPeer) -> None:
        await peer.greet()
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        while True:
            peer.frame(ping)
            peer.frame(b"x" * 125, opcode=9)
            await peer.writer.drain()
            await anyio.lowlevel.checkpoint()

    async with raw_server(handler) as url:
        one = transport(url, write_patience=0.3)
        await connect(one)
        await one.start(REQUEST)
        socket = socket_of(one)
        # What the kernel takes is not ours to bound: fill it.
        filling = asyncio.ensure_future(socket.send(b"x" * (16 * MIB)))
        error = await ended(one)
        written = socket.transport.get_write_buffer_size()
        filling.cancel()
        await asyncio.gather(filling, return_exceptions=True)
    assert isinstance(error, NothingTaken)
    assert written < 17 * MIB
    assert "took nothing" in str(error)


async def test_of_several_pings_the_last_one_is_answered() -> None:
    answers: list[Any] = []

    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        for number in range(100):
            await tell(connection, "ping", {"number": number})
        while not answers or answers[-1].get("payload") != {"number": 99}:
            answers.append(await told(connection))
        await connection.close()

    async with websocket_server(handler, speaks=[MODERN]) as stand:
        one = await live(stand.url)
        await ended(one)
    assert len(answers) < 20


@pytest.mark.parametrize(
    ("size", "is_sent_back"), [(LONGEST_PONG - 2, True), (LONGEST_PONG, False), (8 * MIB, False)]
)
async def test_a_payload_of_a_ping_is_sent_back_unless_it_is_long(size: int, is_sent_back: bool) -> None:
    answers: list[Any] = []

    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await tell(connection, "ping", "x" * size)
        answers.append(await told(connection))
        await connection.close()

    async with websocket_server(handler, speaks=[MODERN]) as stand:
        await ended(await live(stand.url))
    assert answers == [{"type": "pong", "payload": "x" * size} if is_sent_back else {"type": "pong"}]


async def test_others_get_their_turn_between_large_messages() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        for number in range(12):
            await connection.send(row(connection, number, size=200_000))
        await connection.close()

    async with websocket_server(handler, speaks=[MODERN]) as stand:
        one = await live(stand.url)
        await until(lambda: len(socket_of(one).recv_messages.frames) == 12 or waiting_in(one) > MIB)
        counting = asyncio.ensure_future(count())
        before = turns
        for _ in range(5):
            await one.receive()
        counting.cancel()
        one.abort()
    assert turns - before >= 4


async def test_compression_is_offered_unless_it_is_switched_off() -> None:
    offers: list[str | None] = []

    async def handler(connection: ServerConnection) -> None:
        assert connection.request is not None
        offers.append(connection.request.headers.get("Sec-WebSocket-Extensions"))
        await connection.close()

    async with websocket_server(handler, compression="deflate") as stand:
        for compression in (True, False):
            await deliver(transport(stand.url, compression=compression))
    assert offers[0] is not None
    assert "permessage-deflate" in offers[0]
    assert offers[1] is None


@pytest.mark.parametrize("compression", [True, False])
@pytest.mark.parametrize("extension", ["x-webkit-deflate-frame", "bbf-usp-protocol; id=7"])
async def test_an_extension_that_was_not_offered_is_named(extension: str, compression: bool) -> None:
    async def handler(peer: RawPeer) -> None:
        await upgrade_with(peer, extension)
        await peer.reader.read()

    async with raw_server(handler) as url:
        with pytest.raises(ConnectFailed) as caught:
            await transport(url, compression=compression).open()
    assert f"extension that was not offered ({extension})" in str(caught.value)


class Work:
    """Counts frames that a socket looked at, and the most of them between two turns of another task."""

    def __init__(self) -> None:
        self.frames = self.in_one_go = self.most = 0

    def watch(self, socket: ReadingConnection) -> None:
        receive = socket.protocol.recv_frame

        def counted(frame: Frame) -> None:
            self.frames += 1
            self.in_one_go += 1
            self.most = max(self.most, self.in_one_go)
            receive(frame)

        socket.protocol.recv_frame = counted  # type: ignore[method-assign]

    async def until(self, count: int) -> None:
        with anyio.fail_after(60):
            while self.frames < count:
                self.in_one_go = 0
                await anyio.lowlevel.checkpoint()


@pytest.mark.parametrize("extension", [None, "permessage-deflate"])
@pytest.mark.parametrize("opcode", [0x89, 0x8A])
async def test_a_flood_of_small_frames_is_looked_at_by_turns_and_the_last_ping_answered(
    monkeypatch: pytest.MonkeyPatch, opcode: int, extension: str | None
) -> None:
    pongs: list[bytes] = []
    serialize = Frame.serialize

    def counted(frame: Frame, **options: Any) -> bytes:
        if frame.opcode == Opcode.PONG:
            pongs.append(bytes(frame.data))
        return serialize(frame, **options)

    async def handler(peer: RawPeer) -> None:
        await (peer.upgrade() if extension is None else upgrade_with(peer, extension))
        await peer.said()
        peer.frame(b'{"type":"connection_ack"}')
        begun.set()
        await peer.reader.read()

    begun = anyio.Event()
    async with raw_server(handler) as url:
        one = transport(url)
        await connect(one)
        await begun.wait()
        monkeypatch.setattr(Frame, "serialize", counted)
        work, socket = Work(), socket_of(one)
        work.watch(socket)
        # In one read: a loop may take as much.
        socket.data_received(bytes([opcode, 0]) * 20_000 + bytes([opcode, 4]) + b"last")
        await work.until(20_001)
        one.abort()
    assert work.most <= MOST_FRAMES
    assert len(pongs) <= 2 * 20_001 / MOST_FRAMES
    assert pongs[-1:] == ([b"last"] if opcode == 0x89 else [])


async def test_rows_in_a_flood_of_pings_come_in_order_and_before_the_end() -> None:
    flood = b"\x89\x00" * 3000

    async def handler(peer: RawPeer) -> None:
        await peer.upgrade()
        await peer.said()
        peer.frame(b'{"type":"connection_ack"}')
        await peer.said()
        for number in range(20):
            peer.writer.write(flood)
            peer.frame(b'{"id":"1","type":"next","payload":{"data":{"n":[%d]}}}' % number)
        peer.writer.write(flood)
        await peer.writer.drain()

    async with raw_server(handler) as url:
        one = transport(url)
        await connect(one)
        numbers: list[int] = []
        with contextlib.suppress(SessionError):
            async for result in results_of(one, REQUEST):
                numbers += json.loads(result.frame)["payload"]["data"]["n"]
        one.abort()
    assert numbers == list(range(20))
