"""Attempts that are closed on purpose, or for the end of their token."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import anyio
import pytest
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from connector.subscription import (
    Backpressure,
    BackpressurePolicy,
    Delivered,
    MemoryBudget,
    Subprotocol,
)
from tests.integration.task.attempts import OPENING, Counter, flowing, quiet, running
from tests.unit.subscription.servers import (
    BOTH,
    RawPeer,
    greet,
    raw_server,
    row,
    until,
    websocket_server,
)
from tests.unit.task.fakes import FakeKeeper, token


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_finishing_delivers_what_still_comes(subprotocol: Subprotocol) -> None:
    sent = 0

    async def handler(connection: ServerConnection) -> None:
        nonlocal sent
        await greet(connection)
        try:
            while True:
                await connection.send(row(connection, sent, size=2000))
                sent += 1
        except ConnectionClosed:
            return

    async with (
        websocket_server(handler, speaks=[subprotocol]) as stand,
        running(stand.url, close_timeout=20) as one,
    ):
        await until(lambda: len(one.intake.numbers) > 100)
        one.attempt.finish("shed")
        one.attempt.finish("stop")
        end = await one.ended()
        await stand.until_unused()
    assert one.intake.numbers[:sent] == list(range(sent))
    assert (end.cause, end.error, end.delivered) == ("shed", None, True)
    assert [word for word in one.events.said if word.startswith("clos")][:1] == ["closing shed"]


async def test_it_is_told_when_the_socket_is_closed_even_if_it_takes_long_to_take_rows() -> None:
    async def handler(connection: ServerConnection) -> None:
        await quiet(connection)

    async with websocket_server(handler) as stand, running(stand.url) as one:
        await until(lambda: one.events.live_since)
        one.attempt.finish("reopen")
        await one.ended()
    assert one.events.said[4:] in (["closing reopen"], ["closing reopen", "closed reopen"])


@pytest.mark.parametrize("step", ["connecting", "initialising"])
async def test_finishing_before_it_is_live_gives_it_up(step: str) -> None:
    async def handler(peer: RawPeer) -> None:
        if step == "initialising":
            await peer.upgrade()
            await peer.writer.drain()
        while await peer.reader.read(1000):
            pass
        gone.set()

    gone = anyio.Event()
    async with raw_server(handler) as url, running(url) as one:
        await until(lambda: step in one.events.said)
        one.attempt.finish("stop")
        end = await one.ended()
        with anyio.fail_after(5):
            await gone.wait()
    assert (end.cause, end.error, end.live_for) == ("stop", None, 0.0)
    assert one.events.said == OPENING[: OPENING.index(step) + 1]


async def test_finishing_before_it_runs_opens_nothing() -> None:
    connected = 0

    async def handler(peer: RawPeer) -> None:
        nonlocal connected
        connected += len(await peer.reader.read(1))

    async with raw_server(handler) as url, running(url, finish="stop") as one:
        assert (await one.ended()).cause == "stop"
    assert connected == 0


def sending(count: int) -> Callable[[RawPeer], Awaitable[None]]:
    """Write so many rows at once, and answer a Close."""

    async def handler(peer: RawPeer) -> None:
        await peer.greet()
        for number in range(count):
            peer.frame(b'{"type":"next","payload":{"data":{"n":[%d]}}}' % number)
        while (await peer.said())[0] != 8:
            pass
        peer.frame(b"\x03\xe8", opcode=8)
        peer.writer.write_eof()
        await peer.reader.read()

    return handler


async def test_what_comes_over_the_bound_after_our_close_waits_and_is_not_lost() -> None:
    count = 5000

    budget = MemoryBudget(1000)
    memory = budget.open(lambda: None)
    intake = Counter(budget)

    def take(result: Delivered) -> bool:
        memory.take(100)
        if len(intake.numbers) == 50:
            one.attempt.finish("shed")
        return True

    intake.react = take
    async with (
        raw_server(sending(count)) as url,
        running(url, intake=intake, close_timeout=20) as one,
    ):
        await until(lambda: "closing shed" in one.events.said)
        await anyio.wait_all_tasks_blocked()
        assert len(intake.numbers) == 51
        while one.end is None:
            memory.release(memory.held)
            await asyncio.sleep(0)
    assert intake.numbers == list(range(count))
    assert one.end.error is None


@pytest.mark.parametrize("ends", [False, True])
async def test_who_reads_faster_than_we_publish_is_slowed_down_until_it_is_to_end(
    ends: bool,
) -> None:
    patient = BackpressurePolicy(each=3600.0, most=3600.0, standstill=3600.0)
    count = 200

    budget = MemoryBudget(1000)
    sheds: list[str] = []
    memory = budget.open(lambda: sheds.append("told"))
    memory.take(1)
    memory.release(1)
    intake = Counter(budget, Backpressure(memory, patient))

    def take(result: Delivered) -> bool:
        memory.take(100)
        return True

    intake.react = take
    async with (
        raw_server(sending(count)) as url,
        running(url, intake=intake) as one,
    ):
        while len(intake.numbers) < count:
            await until(lambda: memory.held > 0)
            await anyio.wait_all_tasks_blocked()
            assert memory.held <= 500
            if ends and len(intake.numbers) < count // 2:
                one.attempt.finish("stop")
                budget.limit = 10**6
                await one.ended()
                break
            memory.release(memory.held)
    assert intake.numbers == list(range(count))
    assert sheds == []


# The token


async def test_it_is_reopened_before_the_token_expires_once_there_is_a_newer_one() -> None:
    keeper = FakeKeeper(token(1))
    held = token(1, expires_in=0.8)
    assert held.expires_at is not None
    async with websocket_server(flowing) as stand, running(stand.url, held=held, keeper=keeper) as one:
        await until(lambda: time.monotonic() > held.expires_at - 0.1)  # type: ignore[operator]
        assert one.end is None  # with what should it open the next?
        keeper.put(token(2, expires_in=60))
        end = await one.ended()
    assert (end.cause, end.error) == ("reopen", None)
    assert one.intake.numbers == list(range(len(one.intake.numbers)))


async def test_it_is_reopened_before_and_not_at_the_end_of_the_token() -> None:
    keeper = FakeKeeper(token(2))
    held = token(1, expires_in=2.4)
    async with websocket_server(flowing) as stand, running(stand.url, held=held, keeper=keeper) as one:
        await until(lambda: "closing reopen" in one.events.said)
        assert held.expires_at is not None
        assert 0.0 < held.expires_at - time.monotonic() <= 1.2


@pytest.mark.parametrize(("expires_in", "reopens"), [(None, True), (0.2, False), (-5.0, False)])
async def test_it_outlives_a_token_that_does_not_bind_it(expires_in: float | None, reopens: bool) -> None:
    keeper, held = FakeKeeper(token(2)), token(1, expires_in=expires_in)
    async with (
        websocket_server(flowing) as stand,
        running(stand.url, held=held, keeper=keeper, reopens=reopens) as one,
    ):
        await until(lambda: len(one.intake.numbers) > 300)
        assert one.end is None
