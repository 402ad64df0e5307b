"""Memory runs short: sessions are closed, and opened again when Kafka has caught up."""

from __future__ import annotations

import anyio

from connector.subscription import MemoryBudget
from connector.task import State, Tolerance
from tests.unit.task.fakes import FakeKeeper, token
from tests.unit.task.scenario import DLQ, Flow, brokers_with, numbered, subscribed, until
from tests.unit.task.upstream import Peer


async def test_when_kafka_stalls_it_sheds_recovers_and_is_live_again() -> None:
    flow, budget = Flow(), MemoryBudget(400_000)
    async with subscribed(flow, budget=budget) as scene:
        await until(lambda: len(scene.numbers) > 10)
        scene.brokers.freeze()
        await until(lambda: scene.told.sheds)
        await until(lambda: not scene.upstream.open)  # a socket that is not read would be billed
        await scene.until_state(State.SHEDDING)
        assert scene.runner.undelivered > 0
        assert flow.sessions == 1
        scene.brokers.thaw()
        await until(lambda: flow.sessions == 2 and scene.told.states[-1] is State.LIVE)
        before = len(scene.numbers)
        await until(lambda: len(scene.numbers) > before)
        await scene.stop()
    # Up to the shed, whatever the server had sent is published: nothing that was received is lost.
    assert scene.numbers == list(range(len(scene.numbers)))
    assert scene.told.reconnects == ["shed"]
    assert scene.told.gaps == ["unfilled"]
    assert scene.told.sheds == 1
    assert scene.nothing_is_left()


async def test_told_to_shed_while_it_waits_for_a_token_it_opens_no_session() -> None:
    keeper, flow, budget = FakeKeeper(token(1)), Flow(), MemoryBudget(400_000)
    async with subscribed(flow, keeper=keeper, budget=budget) as scene:
        await until(lambda: len(scene.numbers) > 10)
        scene.brokers.freeze()
        await until(lambda: scene.runner.undelivered > 10)
        keeper.rejected.append(1)
        await scene.upstream.open[0].close(None)
        await scene.until_state(State.TOKEN)
        # Others hold the rest, each less than this one, which is therefore told.
        others = budget.limit - budget.used
        budget.used += others
        budget.shed_largest()
        assert scene.told.sheds == 1
        keeper.put(token(2))
        await scene.until_state(State.SHEDDING)
        assert flow.sessions == 1
        budget.shrink(others)
        scene.brokers.thaw()
        await until(lambda: flow.sessions == 2)
        await scene.stop()


async def test_while_dead_letters_cannot_be_written_rows_are_held_and_the_session_is_shed() -> None:
    brokers = brokers_with("t", "dlq", bad={20})
    brokers.latency["dlq", 0] = 1e9
    async with subscribed(
        Flow(),
        brokers=brokers,
        budget=MemoryBudget(400_000),
        tolerance=Tolerance(bad=True),
        dead_letter_topic="dlq",
    ) as scene:
        await until(lambda: scene.told.sheds)
        assert scene.told.failed == ["invalid"]  # trouble of Kafka makes no row bad
        assert scene.told.rows_acknowledged == 20
        assert scene.state is not State.FAILED
        assert scene.runner.undelivered > 0


async def test_after_it_failed_its_neighbours_are_still_told_to_shed() -> None:
    budget = MemoryBudget(400_000)
    async with subscribed(Flow(), brokers=brokers_with("t", bad={20}), budget=budget) as scene:
        await until(lambda: len(scene.numbers) > 10)
        scene.brokers.freeze()
        await until(lambda: scene.told.sheds)
        scene.brokers.thaw()
        await scene.until_state(State.FAILED)
        told_too: list[int] = []
        neighbour = budget.open(lambda: told_too.append(1))
        for _ in range(2):
            neighbour.take(175_000)
        assert told_too == [1]
        await scene.stop()


async def test_frames_that_are_no_messages_wait_for_room_while_the_session_is_being_closed() -> None:
    async def handler(peer: Peer) -> None:
        await peer.greet()
        await peer.send(numbered(1))
        await until(lambda: scene.numbers == [1])
        brokers.freeze()
        peer.write(*["x" * 50_000] * 100)  # before it can see the client's Close
        await peer.wait_closed()

    budget, brokers = MemoryBudget(400_000), brokers_with("t", DLQ)
    async with subscribed(
        handler, brokers=brokers, budget=budget, tolerance=Tolerance(bad=True), dead_letter_topic=DLQ
    ) as scene:
        await until(lambda: budget.is_full)
        await anyio.sleep(0.5)
        assert budget.used < budget.limit + 100_000
        brokers.thaw()
        await until(lambda: len(brokers.values(DLQ)) == 100)
        await scene.stop()
