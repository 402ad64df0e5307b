"""Sending is paused and resumed as a whole."""

import anyio

from connector.kafka import BrokerUnreachable, ProducerBroken
from connector.publish.request_scheduler import RequestScheduler
from tests.unit.publish.fakes import FakeBrokers
from tests.unit.publish.rows import Seen, add, numbered, publish, publishing, sender_of
from tests.unit.publish.test_ahead import CAP, FULL


def values(rows: int) -> list[bytes]:
    return [b"%06d" % number for number in range(rows)]


async def test_what_is_in_flight_lands_and_the_rest_waits_until_sending_is_resumed(
    brokers: FakeBrokers,
) -> None:
    seen = Seen()
    brokers.create("u")
    brokers.latency["t", 0] = 2.0
    async with publishing(brokers, seen) as publisher:
        first = await publish(publisher, seen, numbered(range(5)))
        await anyio.sleep(0.1)
        publisher.pause()
        await publish(publisher, seen, numbered(range(5, 8)))
        await publish(publisher, seen, numbered(range(3)), "u")
        began = anyio.current_time()
        await publisher.idle()
        assert 1.5 < anyio.current_time() - began < 2.5
        assert (first.pending, publisher.held) == (0, 6)
        await anyio.sleep(60)
        assert (brokers.values(), brokers.values("u")) == (values(5), [])
        publisher.resume()
        await seen.all_settled()
    assert (brokers.values(), brokers.values("u")) == (values(8), values(3))
    assert seen.rebuilt == 0


async def test_a_pause_outlives_a_broken_producer_and_stalls_nothing(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        brokers.failures["t", 0].append(ProducerBroken("gone"))
        await publish(publisher, seen, numbered(range(3)))
        publisher.pause()
        await anyio.sleep(200)
        assert (publisher.held, publisher.state, brokers.values()) == (3, "up", [])
        publisher.resume()
        await anyio.sleep(0.001)
        publisher.pause()  # what is on its way breaks the producer
        await publisher.idle()
        await anyio.sleep(200)
        assert (seen.rebuilt, len(brokers.producers), brokers.values()) == (1, 2, [])
        publisher.resume()
        await seen.all_settled()
    assert brokers.values() == values(3)
    assert seen.states == ["connecting", "up", "connecting", "up"]


async def test_a_batch_that_the_producer_does_not_take_waits_while_sending_is_paused(
    brokers: FakeBrokers,
) -> None:
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        await publisher.topic("t").ready.wait()
        brokers.failures["t", 0].extend([BrokerUnreachable("silent")] * 1000)
        await publish(publisher, seen, numbered(range(3)))
        await anyio.sleep(1)
        publisher.pause()
        await publisher.idle()
        left = len(brokers.failures["t", 0])
        await anyio.sleep(60)
        assert (len(brokers.failures["t", 0]), publisher.held) == (left, 3)
        brokers.failures["t", 0].clear()
        publisher.resume()
        await seen.all_settled()
    assert brokers.values() == values(3)
    assert len(brokers.producers) == 1


async def test_a_batch_that_is_ready_is_sent_once_sending_is_resumed(brokers: FakeBrokers) -> None:
    seen, scheduler = Seen(), RequestScheduler()
    topic, sender = sender_of(max_batch_bytes=CAP)
    async with anyio.create_task_group() as group:
        group.start_soon(sender.run, await brokers.start_producer(), scheduler)
        add(topic, seen, numbered(range(FULL + 5)))
        while sender.rows_acknowledged < FULL or sender.waiting_since is None:  # noqa: ASYNC110
            await anyio.sleep(0.001)
        scheduler.paused = True
        add(topic, seen, numbered(range(FULL + 5, 2 * FULL + 5)))
        assert not sender.queue
        await anyio.sleep(10)
        assert (sender.rows_acknowledged, sender.held) == (FULL + 5, FULL)
        scheduler.paused = False
        topic.wake()
        await seen.all_settled()
        group.cancel_scope.cancel()
    assert brokers.values() == values(2 * FULL + 5)
