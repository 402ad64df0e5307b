"""A program that stops cuts every pause short: what is held gets its try in time."""

import anyio
import pytest

from connector.kafka import BrokerUnreachable, ProducerBroken
from connector.publish.pauses import Pauses
from tests.unit.publish.fakes import FakeBrokers
from tests.unit.publish.rows import Seen, numbered, publish, publishing

DRAIN = 15.0


async def test_a_sender_and_its_producer_pause_no_more(brokers: FakeBrokers) -> None:
    for _ in range(5):  # pauses are random
        seen = Seen()
        brokers.failures["t", 0].extend(ProducerBroken("broken") for _ in range(12))
        async with publishing(brokers, seen) as publisher:
            await publish(publisher, seen, numbered(range(3)))
            while len(brokers.failures["t", 0]) > 3:  # noqa: ASYNC110 - no event is set for it
                await anyio.sleep(0.1)
            publisher.hurry()
            with anyio.fail_after(DRAIN):
                await seen.all_settled()


async def test_a_connection_that_is_waited_for_is_tried_at_once(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        await publisher.topic("t").ready.wait()
        brokers.failures["t", 0].append(ProducerBroken("broken"))
        brokers.start_errors.extend(BrokerUnreachable("away") for _ in range(12))
        await publish(publisher, seen, numbered(range(3)))
        while len(brokers.start_errors) > 2:  # noqa: ASYNC110 - no event is set for it
            await anyio.sleep(0.1)
        publisher.hurry()
        with anyio.fail_after(DRAIN):
            await seen.all_settled()


async def test_a_topic_that_is_waited_for_is_looked_for_at_once(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        topic = publisher.topic("late")
        await anyio.sleep(300)
        brokers.create("late")
        publisher.hurry()
        with anyio.fail_after(2 + 5):
            await topic.ready.wait()


@pytest.mark.parametrize("with_event", [False, True])
async def test_a_pause_ends_by_its_time_by_its_event_or_by_hurry(with_event: bool) -> None:
    pauses, began = Pauses(), anyio.current_time()
    event = anyio.Event() if with_event else None
    await pauses.sleep(30, woken=event)
    assert 30 <= anyio.current_time() - began < 31
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: pauses.sleep(1000, woken=event))
        await anyio.sleep(1)
        pauses.hurry()
    await pauses.sleep(1000, woken=event)
    assert anyio.current_time() - began < 35
    await Pauses().sleep(-1)
    if event is not None:
        event.set()
        await Pauses().sleep(1e6, woken=event)
        assert anyio.current_time() - began < 35
