"""
Subscriptions over real sockets. What they do in each of their states is tested in ``unit/task`` without any.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import anyio
import pytest
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from connector.subscription import MemoryBudget
from connector.task import State
from tests.integration.task.following import Upstream, following, served
from tests.unit.subscription.servers import RawPeer, Stand, greet, raw_server, until, websocket_server
from tests.unit.task.fakes import FakeKeeper, token
from tests.unit.task.scenario import numbered


async def test_every_row_that_was_sent_is_published_once_and_in_order() -> None:
    upstream = Upstream()
    async with served(upstream.serve) as stand, following(stand.url) as bench:
        await until(lambda: len(bench.numbers) > 100)
        await bench.stop()
        await stand.until_unused()
    assert bench.numbers == list(range(len(bench.numbers)))
    assert len(bench.numbers) - upstream.sent in (0, 1)
    assert bench.told.rows_received == bench.told.rows_acknowledged == len(bench.numbers)
    assert (bench.runner.undelivered, bench.budget.used) == (0, 0)


@pytest.mark.parametrize("ending", ["lost", "reopen"])
async def test_two_sessions_are_as_far_apart_as_is_wanted(ending: str) -> None:
    upstream = Upstream()
    keeper = FakeKeeper(token(1, expires_in=1.0 if ending == "reopen" else None))
    moments: list[float] = []

    async def handler(connection: ServerConnection) -> None:
        moments.append(time.monotonic())
        try:
            await upstream.serve(connection)
        finally:
            moments.append(time.monotonic())

    async with (
        served(handler) as stand,
        following(stand.url, keeper=keeper, reopen_pause=1.5) as bench,
    ):
        await until(lambda: bench.numbers)
        if ending == "lost":
            (connection,) = stand.server.connections
            await connection.close(1012)
        keeper.put(token(2))
        await until(lambda: upstream.sessions == 2)
        await bench.stop()
    assert moments[2] - moments[1] > 1.2
    assert bench.numbers == list(range(len(bench.numbers)))


async def test_a_refused_upgrade_is_followed_by_no_pause() -> None:
    refused = 0

    async def handler(peer: RawPeer) -> None:
        nonlocal refused
        await peer.request()
        peer.writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await peer.writer.drain()
        refused += 1

    async with raw_server(handler) as url, following(url, reopen_pause=600.0) as bench:
        await until(lambda: refused >= 3)
        await bench.stop()


async def test_after_a_lost_connection_it_goes_on() -> None:
    upstream = Upstream()
    async with served(upstream.serve) as stand, following(stand.url) as bench:
        for session in (1, 2, 3):
            await until(lambda: bench.told.sessions == session and upstream.sent > session * 20)  # noqa: B023
            for connection in list(stand.server.connections):
                connection.transport.abort()
        await until(lambda: upstream.sessions == 4 and len(bench.told.gaps) == 3)
        await bench.stop()
    assert bench.told.reconnects == ["connection_lost"] * 3
    assert bench.told.gaps == ["unfilled"] * 3
    assert bench.numbers == sorted(bench.numbers)


async def test_it_is_reopened_with_the_next_token_before_this_one_ends() -> None:
    keeper = FakeKeeper(token(1, expires_in=1.0))
    upstream = Upstream()
    async with served(upstream.serve) as stand, following(stand.url, keeper=keeper) as bench:
        await until(lambda: len(bench.numbers) > 10)
        keeper.put(token(2))
        await until(lambda: upstream.sessions == 2)
        await bench.stop()
    assert upstream.tokens == ["t1", "t2"]
    assert bench.told.reconnects == ["reopen"]
    assert State.REOPENING in bench.told.states
    assert bench.numbers == list(range(len(bench.numbers)))


async def test_another_subprotocol_is_offered_first_when_the_server_does_not_speak_what_it_selected() -> None:
    chosen: list[str | None] = []

    async def handler(connection: ServerConnection) -> None:
        chosen.append(connection.subprotocol)
        if len(chosen) == 1:
            await connection.close(1002, "no such protocol")
            return
        await greet(connection)
        await connection.wait_closed()

    # It selects whatever comes first.
    async with (
        websocket_server(handler, select_subprotocol=lambda connection, offered: offered[0]) as stand,
        following(stand.url) as bench,
    ):
        await bench.until_state(State.LIVE)
        await bench.stop()
    assert len(set(chosen)) == 2


async def test_when_kafka_stalls_it_sheds_recovers_and_is_live_again() -> None:
    upstream = Upstream(pace=0.0005)
    budget = MemoryBudget(400_000)
    async with served(upstream.serve) as stand, following(stand.url, budget=budget) as bench:
        await until(lambda: len(bench.numbers) > 10)
        bench.brokers.freeze()
        await until(lambda: bench.told.sheds)
        await stand.until_unused()  # a socket that is not read would be billed
        assert bench.state is State.SHEDDING
        held = bench.runner.undelivered
        assert held > 0
        assert upstream.sessions == 1
        upstream.pace = 0.005
        bench.brokers.thaw()
        with anyio.fail_after(20):  # the cooldown is in real seconds
            while upstream.sessions < 2 or bench.told.states[-1] is not State.LIVE:  # noqa: ASYNC110
                await anyio.sleep(0.01)
        before = len(bench.numbers)
        await until(lambda: len(bench.numbers) > before)
        await bench.stop()
    # Up to the shed, whatever the server had sent is published: nothing that was received is lost.
    assert bench.numbers == list(range(len(bench.numbers)))
    assert bench.told.reconnects == ["shed"]
    assert bench.told.gaps == ["unfilled"]
    assert bench.told.sheds == 1
    assert (bench.runner.undelivered, budget.used) == (0, 0)


async def test_stopping_while_it_connects() -> None:
    async def handler(peer: Any) -> None:
        while await peer.reader.read(1000):
            pass

    async with raw_server(handler) as url, following(url, open_timeout=60) as bench:
        await bench.until_state(State.CONNECTING)
        await bench.stop()


async def test_stopping_while_it_initialises() -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with served(handler) as stand, following(stand.url, ack_timeout=60) as bench:
        await bench.until_state(State.INITIALISING)
        await bench.stop()
        await stand.until_unused()


async def test_stopping_while_it_is_live_without_data() -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await connection.wait_closed()

    async with served(handler) as stand, following(stand.url) as bench:
        await bench.until_state(State.LIVE)
        await bench.stop()
        await stand.until_unused()


async def test_stopping_while_kafka_is_stalled_waits_for_it() -> None:
    upstream = Upstream()
    async with served(upstream.serve) as stand, following(stand.url) as bench:
        await until(lambda: len(bench.numbers) > 10)
        bench.brokers.freeze()
        await until(lambda: bench.runner.undelivered > 10)
        bench.runner.stop()
        await stand.until_unused()
        assert not bench.ended.is_set()
        bench.brokers.thaw()
        await bench.stop()
    assert bench.told.rows_received == bench.told.rows_acknowledged == len(bench.numbers)


async def test_cancelling_it_ends_its_socket() -> None:
    stand: Stand
    async with served(Upstream().serve) as stand:
        async with following(stand.url) as bench:
            await until(lambda: bench.numbers)
        await stand.until_unused()


async def test_a_live_session_without_data_raises_an_alarm_and_data_ends_it() -> None:
    flows = anyio.Event()

    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await flows.wait()
        try:
            for number in range(10_000):
                await connection.send(numbered(number))
                await asyncio.sleep(0.01)
        except ConnectionClosed:
            return

    async with served(handler) as stand, following(stand.url, no_data_alarm=0.3) as bench:
        await until(lambda: bench.told.alarms == [True])
        assert bench.state is State.LIVE
        flows.set()
        await until(lambda: bench.told.alarms == [True, False])
        await bench.stop()
