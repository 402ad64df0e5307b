"""Cancelled at any await, a transport leaves no task and no socket behind."""

import asyncio
from collections.abc import Awaitable, Callable

import anyio
import pytest
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from connector.subscription import Transport
from connector.subscription.messages import Subprotocol
from tests.unit.subscription.driving import REQUEST, connect, number_of, results_of, transport
from tests.unit.subscription.servers import BOTH, greet, row, until, websocket_server

LATEST_TURN = 80
"""Turns of the loop in which the longest of these operations has long ended."""


async def opening(one: Transport) -> None:
    await connect(one)
    one.abort()


async def delivering(one: Transport) -> None:
    try:
        await connect(one)
        await one.start(REQUEST)
        for _ in range(5):
            await one.receive()
            await one.ping()
    finally:
        one.abort()


async def iterating(one: Transport) -> None:
    try:
        await connect(one)
        async for _ in results_of(one, REQUEST):
            pass
    finally:
        one.abort()


async def finishing(one: Transport) -> None:
    await connect(one)
    await one.start(REQUEST)
    await one.finish()


@pytest.mark.parametrize("subprotocol", BOTH)
@pytest.mark.parametrize("operation", [opening, delivering, iterating])
async def test_nothing_is_left_whenever_it_is_cancelled(
    operation: Callable[[Transport], Awaitable[None]], subprotocol: Subprotocol
) -> None:
    await _cancel_in_every_turn(operation, subprotocol)


async def test_nothing_is_left_whenever_closing_is_cancelled() -> None:
    async def guarded(one: Transport) -> None:
        try:
            await finishing(one)
        finally:
            one.abort()

    await _cancel_in_every_turn(guarded, BOTH[0])


async def _cancel_in_every_turn(
    operation: Callable[[Transport], Awaitable[None]], subprotocol: Subprotocol
) -> None:
    async def handler(connection: ServerConnection) -> None:
        try:
            await greet(connection)
            for number in range(20):
                await connection.send(row(connection, number))
                await asyncio.sleep(0)
            await connection.wait_closed()
        except ConnectionClosed:
            return

    async with websocket_server(handler, speaks=[subprotocol]) as stand:
        before = asyncio.all_tasks()
        cancelled = 0
        for turn in range(LATEST_TURN):
            one = transport(stand.url)
            task = asyncio.ensure_future(operation(one))
            for _ in range(turn):
                await asyncio.sleep(0)
            cancelled += task.cancel()
            await asyncio.wait([task])
            await stand.until_unused()
            await until(lambda: asyncio.all_tasks() <= before)
        assert cancelled > 10


async def test_a_cancelled_receive_loses_nothing() -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        for number in range(300):
            await connection.send(row(connection, number))
            await asyncio.sleep(0)
        await connection.wait_closed()

    numbers: list[int] = []
    async with websocket_server(handler) as stand:
        one = transport(stand.url)
        await connect(one)
        await one.start(REQUEST)
        turn = 0
        with anyio.fail_after(10):
            while len(numbers) < 300:
                receiving = asyncio.ensure_future(one.receive())
                turn = (turn + 1) % 4
                for _ in range(turn):
                    await asyncio.sleep(0)
                receiving.cancel()
                await asyncio.wait([receiving])
                if not receiving.cancelled():
                    numbers.append(number_of(receiving.result()))
        one.abort()
    assert numbers == list(range(300))
