"""Stopping a subscription, in every state that it may be in."""

from __future__ import annotations

import anyio

from connector.subscription import MemoryBudget
from connector.task import State
from tests.unit.publish.fakes import FakeBrokers
from tests.unit.task.fakes import FakeKeeper
from tests.unit.task.scenario import Flow, quiet, subscribed, until
from tests.unit.task.upstream import Peer


async def never(peer: Peer) -> None:
    """Acknowledge nothing."""
    await peer.wait_closed()


async def too_big(peer: Peer) -> None:
    """Refuse what is not tried again for half a minute."""
    await peer.close(1009, "too big")


async def test_while_it_waits_for_the_topic() -> None:
    async with subscribed(Flow(), brokers=FakeBrokers()) as scene:
        await scene.until_state(State.WAITING)
        await scene.stop()


async def test_while_it_waits_for_a_token() -> None:
    async with subscribed(Flow(), keeper=FakeKeeper()) as scene:
        await until(lambda: scene.told.states[-1] is State.TOKEN)
        await anyio.sleep(1)
        await scene.stop()
    assert scene.upstream.attempts == []


async def test_while_it_connects() -> None:
    async with subscribed(Flow()) as scene:
        scene.upstream.hangs = True
        await scene.until_state(State.CONNECTING)
        await scene.stop()


async def test_while_it_initialises() -> None:
    async with subscribed(never) as scene:
        await scene.until_state(State.INITIALISING)
        await scene.stop()
        await until(lambda: not scene.upstream.open)


async def test_while_it_is_live_without_data() -> None:
    async with subscribed(quiet) as scene:
        await scene.until_state(State.LIVE)
        await scene.stop()
        await until(lambda: not scene.upstream.open)


async def test_while_it_waits_to_reconnect() -> None:
    async with subscribed(too_big) as scene:
        await until(lambda: scene.told.reconnects)
        assert scene.state is State.WAITING
        before = anyio.current_time()
        await scene.stop()
        assert anyio.current_time() - before < 5


async def test_in_the_pause_between_two_sessions() -> None:
    flow = Flow()
    async with subscribed(flow, reopen_pause=1e6) as scene:
        await until(lambda: scene.numbers)
        await scene.upstream.open[0].close(1012)
        await until(lambda: scene.told.reconnects)
        await scene.stop()
    assert flow.sessions == 1


async def test_while_kafka_is_stalled_it_waits_for_it() -> None:
    async with subscribed(Flow()) as scene:
        await until(lambda: len(scene.numbers) > 10)
        scene.brokers.freeze()
        await until(lambda: scene.runner.undelivered > 10)
        scene.runner.stop()
        await until(lambda: not scene.upstream.open)
        assert not scene.ended.is_set()
        scene.brokers.thaw()
        await scene.stop()
    assert scene.told.rows_received == scene.told.rows_acknowledged == len(scene.numbers)


async def test_while_it_sheds() -> None:
    async with subscribed(Flow(), budget=MemoryBudget(400_000)) as scene:
        await until(lambda: len(scene.numbers) > 10)
        scene.brokers.freeze()
        await until(lambda: scene.told.sheds)
        await until(lambda: not scene.upstream.open)
        scene.runner.stop()
        scene.brokers.thaw()
        await scene.stop()
    assert scene.told.rows_received == scene.told.rows_acknowledged == len(scene.numbers)


async def test_before_it_runs_and_twice() -> None:
    async with subscribed(Flow()) as scene:
        scene.runner.stop()
        await scene.stop()
    assert scene.upstream.attempts == []


async def test_cancelling_it_ends_its_connection() -> None:
    async with subscribed(Flow()) as scene:
        await until(lambda: scene.numbers)
    assert scene.upstream.open == []
