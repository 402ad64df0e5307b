"""Kafka is up when it acknowledges: a producer that starts, or an answer about a topic, is not enough."""

import anyio

from connector.kafka import ProducerBroken
from tests.unit.publish.fakes import FakeBrokers
from tests.unit.publish.rows import Seen, numbered, publish, publishing


async def test_it_is_not_up_while_a_partition_is_not_acknowledged_by_any_producer(
    brokers: FakeBrokers,
) -> None:
    seen = Seen()
    brokers.create("other")
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered([0]))
        await seen.all_settled()
        brokers.failures["t", 0].extend(ProducerBroken("no leader") for _ in range(12))
        await publish(publisher, seen, numbered([1]))
        await anyio.sleep(1)
        before = len(seen.states)
        while brokers.failures["t", 0]:
            assert publisher.state != "up"
            assert "up" not in seen.states[before:]
            aside = Seen()
            await publish(publisher, aside, numbered([1]), "other")
            await anyio.sleep(1)
        await seen.all_settled()
        await anyio.sleep(1)
        assert publisher.state == "up"
    assert seen.rebuilt == 12


async def test_it_is_not_up_while_producers_start_and_nothing_is_acknowledged(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered([1]))
        await seen.all_settled()
        brokers.latency["t", 0] = 1e6  # a partition without a leader
        await publish(publisher, seen, numbered([2]))
        await anyio.sleep(15)
        before = len(seen.states)
        for _ in range(60):
            await anyio.sleep(10)
            assert publisher.state != "up"
        assert seen.rebuilt >= 3
        assert "up" not in seen.states[before:]


async def test_an_answer_about_a_topic_is_no_acknowledgement(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered([1]))
        await seen.all_settled()
        brokers.freeze()
        await publish(publisher, seen, numbered([2]))
        await anyio.sleep(15)
        for number in range(5):
            brokers.create(f"new-{number}")
            await publisher.topic(f"new-{number}").ready.wait()
            assert publisher.state == "stalled"
        brokers.thaw()
        await seen.all_settled()
        await anyio.sleep(1)
        assert publisher.state == "up"
    assert seen.states == ["connecting", "up", "stalled", "up"]


async def test_with_nothing_to_send_a_producer_is_enough(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        await publisher.topic("t").ready.wait()
        assert publisher.state == "up"


async def test_what_keeps_rows_is_told_while_a_new_producer_tries(brokers: FakeBrokers) -> None:
    seen = Seen()
    brokers.refusal = "the broker closed the connection on a request of 900000 bytes"
    brokers.failures["t", 0].extend(ProducerBroken(brokers.refusal) for _ in range(4))
    said = set()
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered([1]))
        while not seen.settled:
            await anyio.sleep(0.1)
            said.add(publisher.error)
        await anyio.sleep(1)
        assert publisher.error is None
    assert brokers.refusal in said


async def test_a_quota_is_a_state_of_its_own_and_no_silence(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered([1]))
        await seen.all_settled()
        brokers.freeze()
        for _ in range(4):  # one demand after the other, longer than a producer has otherwise
            brokers.throttled_until = anyio.current_time() + 80
            await publish(publisher, seen, numbered([2]))
            await anyio.sleep(79)
            assert publisher.state == "throttled"
            assert publisher.error is not None
            assert "quota" in publisher.error
        await anyio.sleep(2)
        brokers.thaw()
        await seen.all_settled()
        await anyio.sleep(8)
        assert (publisher.state, publisher.error) == ("up", None)
    assert seen.states == ["connecting", "up", "throttled", "up"]
    assert seen.rebuilt == 0


async def test_rows_whose_topic_was_deleted_are_not_acknowledged(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered([1]))
        await seen.all_settled()
        gone = brokers.topics.pop("t")
        await publish(publisher, seen, numbered([2]))
        await anyio.sleep(15)
        for _ in range(30):
            await anyio.sleep(5)
            assert publisher.state == "stalled"
            assert publisher.error == "topic t does not exist: create it, or set topics.create to true"
        brokers.topics["t"] = gone
        await seen.all_settled()
        await anyio.sleep(20)  # the topic is looked for at a pace of its own
        assert (publisher.state, publisher.error) == ("up", None)
