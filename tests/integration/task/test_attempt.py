"""One attempt against a real server on the loopback: how it begins, what it tells, and how it ends."""

from __future__ import annotations

import asyncio
import time

import pytest
from websockets.asyncio.server import ServerConnection

from connector.subscription import (
    Delivered,
    MemoryBudget,
    ServerRefused,
    Subprotocol,
)
from connector.subscription.errors import AckTimedOut, SocketClosed
from connector.task.progress import Progress
from tests.integration.task.attempts import OPENING, Counter, flowing, quiet, running, served
from tests.unit.subscription.driving import number_of
from tests.unit.subscription.servers import (
    BOTH,
    greet,
    row,
    tell,
    until,
    websocket_server,
)


async def test_a_session_goes_through_its_states_and_ends_with_the_peer() -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        for number in range(3):
            await connection.send(row(connection, number))
        await connection.close(1012, "restart")

    async with websocket_server(handler) as stand, running(stand.url) as one:
        end = await one.ended()
    assert one.events.said == [*OPENING, "live", "accepted", "proven"]
    assert one.intake.numbers == [0, 1, 2]
    assert isinstance(end.error, SocketClosed)
    assert (end.cause, end.delivered) == (None, True)
    assert end.live_for > 0


async def test_without_data_it_is_live_once_it_was_not_refused_and_since_it_subscribed() -> None:
    async with websocket_server(quiet) as stand, running(stand.url) as one:
        await until(lambda: "subscribing" in one.events.said)
        before = time.monotonic()
        await until(lambda: one.events.live_since)
        assert one.events.live_since is not None
        assert one.events.live_since <= before
        assert one.events.said == [*OPENING, "live"]


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_a_subscription_that_is_refused_was_never_live(subprotocol: Subprotocol) -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await tell(connection, "error", [{"message": "no"}], id="1")
        await connection.wait_closed()

    async with served(handler, subprotocol) as stand, running(stand.url) as one:
        end = await one.ended()
        await stand.until_unused()
    assert isinstance(end.error, ServerRefused)
    assert (end.live_for, end.delivered) == (0.0, False)
    assert one.events.said == OPENING


async def test_a_result_that_refuses_ends_it_before_it_was_live() -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await connection.send(row(connection, 1))
        await connection.wait_closed()

    def refuse(result: Delivered) -> bool:
        raise ServerRefused("stream", ("Unauthorized",), ())

    intake = Counter(MemoryBudget(10**9))
    intake.react = refuse
    async with websocket_server(handler) as stand, running(stand.url, intake=intake) as one:
        end = await one.ended()
        await stand.until_unused()
    assert isinstance(end.error, ServerRefused)
    assert end.live_for == 0.0
    assert one.events.said == OPENING


async def test_a_session_that_brings_a_row_and_ends_proves_nothing() -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await connection.send(row(connection, 0))
        await connection.close()

    async with websocket_server(handler) as stand, running(stand.url, steady_after=60.0) as one:
        end = await one.ended()
    assert one.events.said == [*OPENING, "live", "accepted"]
    assert (end.delivered, end.progress) == (True, Progress.ACCEPTED)


@pytest.mark.parametrize(
    "oddity",
    [
        '{"type":"complete","id":"1"}',
        '{"type":"error","id":"1","payload":[{"message":"Unauthorized"}]}',
        '{"type":"next","id":"1","payload":null}',
        "no JSON",
    ],
)
async def test_rows_behind_what_ends_the_operation_are_received_until_the_peers_close(oddity: str) -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        for number in range(20):
            if number == 10:
                await connection.send(oddity)
            await connection.send(row(connection, number))
        await connection.wait_closed()
        closed.append(connection.close_code)

    closed: list[int | None] = []
    async with websocket_server(handler) as stand, running(stand.url) as one:
        end = await one.ended()
        await stand.until_unused()
    assert one.intake.numbers == list(range(20))
    assert closed == [1000]
    assert end.error is not None


async def test_a_result_without_data_proves_nothing() -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        for number in range(3):
            await connection.send(row(connection, number))
        await connection.close()

    intake = Counter(MemoryBudget(10**9))
    intake.react = lambda result: number_of(result) == 2
    async with websocket_server(handler) as stand, running(stand.url, intake=intake) as one:
        await one.ended()
    assert one.events.said == [*OPENING, "live", "accepted", "proven"]
    intake.react = lambda result: False
    async with websocket_server(handler) as stand, running(stand.url, intake=intake) as one:
        end = await one.ended()
    assert one.events.said == OPENING
    assert not end.delivered


async def test_no_acknowledgement_ends_it() -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with websocket_server(handler) as stand, running(stand.url, ack_timeout=0.1) as one:
        end = await one.ended()
        await stand.until_unused()
    assert isinstance(end.error, AckTimedOut)
    assert one.events.said == OPENING[:2]


async def test_cancelling_it_ends_the_connection_and_leaves_no_task() -> None:
    async with websocket_server(flowing) as stand:
        before = asyncio.all_tasks()
        for numbers in (0, 1, 20):
            async with running(stand.url) as one:
                await until(lambda: len(one.intake.numbers) >= numbers)  # noqa: B023 - called at once
                one.scope.cancel()
            await stand.until_unused()
            await until(lambda: asyncio.all_tasks() <= before)
            assert one.end is None
