"""Peers that say nothing, and peers that want to be asked."""

from __future__ import annotations

import asyncio
import time

import anyio
import pytest
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from connector.subscription import (
    GraphQLRequest,
    Silent,
    Subprotocol,
)
from connector.task import KeepAlivePolicy
from tests.integration.task.attempts import quiet, running
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


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_a_strict_upstream_that_falls_silent_is_left(subprotocol: Subprotocol) -> None:
    strict = KeepAlivePolicy(keepalive_timeout=0.3, probe=False)
    async with (
        websocket_server(quiet, speaks=[subprotocol]) as stand,
        running(stand.url, keep_alive=strict) as one,
    ):
        end = await one.ended()
        await stand.until_unused()
    assert isinstance(end.error, Silent)
    assert time.monotonic() - end.last_heard_at >= 0.3


async def test_one_message_that_comes_slowly_is_no_silence() -> None:
    async def handler(peer: RawPeer) -> None:
        await peer.greet()
        for number, byte in enumerate(message):
            peer.frame(bytes([byte]), opcode=0 if number else 1, fin=number == len(message) - 1)
            await peer.writer.drain()
            await anyio.sleep(0.05)
        await peer.reader.read()

    message = b'{"type":"next","id":"1","payload":{"data":{"n":[7]}}}'
    strict = KeepAlivePolicy(keepalive_timeout=1.0, probe=False)
    async with raw_server(handler) as url, running(url, keep_alive=strict) as one:
        end = await one.ended()
    assert isinstance(end.error, Silent)  # only afterwards
    assert end.delivered


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_a_strict_upstream_that_falls_silent_after_rows_is_left_too(subprotocol: Subprotocol) -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await connection.send(row(connection, 1))
        await connection.wait_closed()

    strict = KeepAlivePolicy(keepalive_timeout=0.3, probe=False)
    async with (
        websocket_server(handler, speaks=[subprotocol]) as stand,
        running(stand.url, keep_alive=strict) as one,
    ):
        end = await one.ended()
        await stand.until_unused()
    assert isinstance(end.error, Silent)
    assert end.delivered


@pytest.mark.parametrize(("subprotocol", "word"), [(LEGACY, "ka"), (MODERN, "pong")])
async def test_a_strict_upstream_that_keeps_alive_is_not(subprotocol: Subprotocol, word: str) -> None:
    spans = 0

    async def handler(connection: ServerConnection) -> None:
        nonlocal spans
        await greet(connection)
        try:
            while True:
                await asyncio.sleep(0.1)
                await tell(connection, word)
                spans += 1
        except ConnectionClosed:
            return

    strict = KeepAlivePolicy(keepalive_timeout=1.0, probe=False)
    async with (
        websocket_server(handler, speaks=[subprotocol]) as stand,
        running(stand.url, keep_alive=strict) as one,
    ):
        await until(lambda: spans >= 20)
        assert one.end is None


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_a_quiet_upstream_that_answers_is_asked_and_kept(subprotocol: Subprotocol) -> None:
    pings = 0

    async def handler(connection: ServerConnection) -> None:
        nonlocal pings
        await greet(connection)
        try:
            while True:
                assert (await told(connection))["type"] == "ping"
                pings += 1
                await tell(connection, "pong")
        except ConnectionClosed:
            return

    probing = KeepAlivePolicy(keepalive_timeout=0.5, probe=True)
    started = time.monotonic()
    async with (
        websocket_server(handler, speaks=[subprotocol]) as stand,
        running(stand.url, keep_alive=probing) as one,
    ):
        await until(lambda: time.monotonic() - started > 2.2)  # four spans
        assert one.end is None
        assert len(stand.server.connections) == 1
    assert (pings >= 2) is (subprotocol is MODERN)


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_a_quiet_upstream_that_does_not_answer_is_asked_and_left(subprotocol: Subprotocol) -> None:
    opcodes: list[int] = []

    async def handler(peer: RawPeer) -> None:
        await peer.greet(subprotocol.value)
        while True:
            opcodes.append((await peer.said())[0])

    probing = KeepAlivePolicy(keepalive_timeout=0.2, probe=True)
    async with raw_server(handler) as url, running(url, keep_alive=probing) as one:
        end = await one.ended()
    assert isinstance(end.error, Silent)
    assert time.monotonic() - end.last_heard_at >= 0.4
    assert opcodes.count(9) == 1
    assert opcodes.count(1) == (3 if subprotocol is MODERN else 2)  # init, operation, ping


async def test_an_upstream_that_takes_nothing_is_left_too() -> None:
    async def handler(peer: RawPeer) -> None:
        await peer.greet()
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await anyio.sleep_forever()

    # Too large for the buffers below, so that the ping has to wait behind it.
    request = GraphQLRequest("query { a }", variable_values={"x": "y" * 30_000_000})
    probing = KeepAlivePolicy(keepalive_timeout=0.3, probe=True)
    async with raw_server(handler) as url, running(url, keep_alive=probing, request=request) as one:
        end = await one.ended()
    assert isinstance(end.error, Silent)


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_we_ping_as_often_as_is_wanted_while_rows_flow(subprotocol: Subprotocol) -> None:
    pings = 0

    async def handler(peer: RawPeer) -> None:
        nonlocal pings
        await peer.greet(subprotocol.value)
        kind = "next" if subprotocol is MODERN else "data"

        async def send() -> None:
            while True:
                peer.frame(b'{"type":"%s","payload":{"data":{"n":[1]}}}' % kind.encode())
                await asyncio.sleep(0.01)

        sending = asyncio.create_task(send())
        try:
            while True:
                opcode, content = await peer.said()
                pings += opcode == 9 or content == b'{"type":"ping"}'
        finally:
            sending.cancel()

    pinging = KeepAlivePolicy(keepalive_timeout=60.0, probe=True, ping_interval=0.1)
    async with raw_server(handler) as url, running(url, keep_alive=pinging) as one:
        await until(lambda: pings >= 3)
        assert one.intake.numbers
        assert one.end is None


async def test_a_peer_that_takes_no_ping_holds_nothing_up() -> None:
    async def handler(peer: RawPeer) -> None:
        await peer.greet()
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await anyio.sleep_forever()

    request = GraphQLRequest("query { a }", variable_values={"x": "y" * 30_000_000})
    pinging = KeepAlivePolicy(keepalive_timeout=1.0, probe=False, ping_interval=0.1)
    async with raw_server(handler) as url, running(url, keep_alive=pinging, request=request) as one:
        end = await one.ended()
    assert isinstance(end.error, Silent)
