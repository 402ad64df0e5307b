"""What lasts is told: refusals that are not a row's, and brokers that have moved."""

import anyio

from connector.kafka import BrokerUnreachable, NotAllowed, ProducerBroken
from tests.unit.publish.fakes import FakeBrokers
from tests.unit.publish.rows import Seen, numbered, publish, publishing

SAID = "the brokers answer UNSUPPORTED_COMPRESSION_TYPE (76) to a batch for topic t"


def refusal() -> ProducerBroken:
    return ProducerBroken(SAID, code="UNSUPPORTED_COMPRESSION_TYPE")


async def test_a_refusal_that_lasts_is_a_state_of_its_own_until_its_partition_is_acknowledged(
    brokers: FakeBrokers,
) -> None:
    seen = Seen()
    brokers.failures["t", 0].extend(refusal() for _ in range(6))
    brokers.create("other")
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered(range(3)))
        while len(seen.codes) < 3:  # noqa: ASYNC110 - no event is set for it
            await anyio.sleep(0.1)
        for _ in range(5):  # others are acknowledged meanwhile, by one producer after the other
            aside = Seen()
            await publish(publisher, aside, numbered(range(3)), "other")
            await aside.all_settled()
            assert (publisher.state, publisher.error) == ("refused", SAID)
        await seen.all_settled()
        await anyio.sleep(2)
        assert (publisher.state, publisher.error) == ("up", None)
    assert set(seen.codes) == {"UNSUPPORTED_COMPRESSION_TYPE"}
    last = seen.states[seen.states.index("refused") :]
    assert last == ["refused", "up"]


async def test_a_right_that_is_taken_away_is_told_until_its_partition_is_acknowledged(
    brokers: FakeBrokers,
) -> None:
    seen = Seen()
    brokers.create("other")
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered([0]))
        await seen.all_settled()
        taken = NotAllowed("to write to topic t", code="TOPIC_AUTHORIZATION_FAILED")
        brokers.failures["t", 0].extend([taken] * 1000)
        await publish(publisher, seen, numbered([1]))
        await anyio.sleep(5)
        for _ in range(10):  # the other topic is served, by one producer after the other
            aside = Seen()
            await publish(publisher, aside, numbered(range(3)), "other")
            await aside.all_settled()
            assert (publisher.state, publisher.error) == ("refused", str(taken))
            await anyio.sleep(10)
        brokers.failures.clear()
        await seen.all_settled()
        await anyio.sleep(2)
        assert (publisher.state, publisher.error) == ("up", None)
    assert "topic t" in str(taken)
    assert set(seen.codes) == {"TOPIC_AUTHORIZATION_FAILED"}
    assert seen.states[seen.states.index("refused") :] == ["refused", "up"]
    assert seen.rebuilt < 20


async def test_one_refusal_alone_is_no_state(brokers: FakeBrokers) -> None:
    seen = Seen()
    brokers.failures["t", 0].append(refusal())
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered(range(3)))
        await seen.all_settled()
    assert "refused" not in seen.states
    assert seen.codes == ["UNSUPPORTED_COMPRESSION_TYPE"]


async def test_what_is_answered_and_tried_again_is_named_while_nothing_is_acknowledged(
    brokers: FakeBrokers,
) -> None:
    seen = Seen()
    brokers.refusal = "the brokers answer NOT_ENOUGH_REPLICAS (19) for partition 0 of topic t"
    async with publishing(brokers, seen) as publisher:
        await publisher.topic("t").ready.wait()
        brokers.freeze()
        await publish(publisher, seen, numbered(range(3)))
        await anyio.sleep(20)
        assert (publisher.state, publisher.error) == ("stalled", brokers.refusal)
        brokers.thaw()
        await seen.all_settled()


async def test_brokers_that_move_while_a_topic_is_waited_for_are_found(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        topic = publisher.topic("late")
        await anyio.sleep(60)
        assert len(brokers.producers) == 1
        brokers.move()
        brokers.create("late")
        with anyio.fail_after(120):
            await topic.ready.wait()
        assert len(brokers.producers) == 2


async def test_brokers_that_move_while_rows_wait_are_found(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered([0]))
        await seen.all_settled()
        brokers.move()
        await anyio.sleep(5)
        await publish(publisher, seen, numbered([1]))
        with anyio.fail_after(30):
            await seen.all_settled()
        await anyio.sleep(2)
        assert (publisher.state, publisher.error) == ("up", None)
    assert len(brokers.producers) == 2


async def test_brokers_that_move_are_found_at_once_where_the_program_stops(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered([0]))
        await seen.all_settled()
        brokers.move()
        await publish(publisher, seen, numbered([1]))
        await anyio.sleep(2)
        publisher.hurry()
        with anyio.fail_after(15):
            await seen.all_settled()


async def test_a_producer_is_kept_while_its_brokers_are_nowhere(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered([0]))
        await seen.all_settled()
        brokers.is_away = True
        brokers.move()
        await publish(publisher, seen, numbered([1]))
        await anyio.sleep(60)
        assert len(brokers.producers) == 1
        assert publisher.state == "stalled"
        brokers.is_away = False
        with anyio.fail_after(30):
            await seen.all_settled()


async def test_brokers_that_are_gone_while_a_topic_is_waited_for_are_told(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        publisher.topic("late")
        await anyio.sleep(60)
        brokers.move()
        brokers.start_errors.extend(BrokerUnreachable("connection refused") for _ in range(1000))
        await anyio.sleep(120)
        assert (publisher.state, publisher.error) == ("connecting", "connection refused")


async def test_a_topic_that_is_waited_for_is_told(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        publisher.topic("late")
        await anyio.sleep(30)
        assert publisher.state == "up"
        assert publisher.error == "topic late does not exist: create it, or set topics.create to true"
        brokers.create("late")
        await anyio.sleep(30)
        assert publisher.topics_not_ready == 0
        assert publisher.error is None
