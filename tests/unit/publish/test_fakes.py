"""The fakes keep the promises of the real ones, and time jumps."""

import time

import anyio
import pytest

from connector.kafka import BrokerUnreachable, ContentRefused, NewTopics, ProducerBroken, TopicMissing
from connector.publish import Brokers, Writer
from tests.unit.publish.clock import EverybodyWaitsError, JumpingLoop
from tests.unit.publish.fakes import FakeBatch, FakeBrokers, FakeProducer


def batch_of(producer: Writer, *values: bytes) -> FakeBatch:
    batch = producer.new_batch(1 << 20)
    assert isinstance(batch, FakeBatch)
    assert batch.extend((None, value, 1, [], None) for value in values) == len(values)
    return batch


def as_the_room_asks(brokers: FakeBrokers) -> tuple[Brokers, Writer]:
    """Nothing at run time: mypy checks that the fakes have every method of the real ones."""
    return brokers, FakeProducer(brokers)


def test_a_batch_takes_its_first_record_however_large_and_then_what_fits() -> None:
    batch = FakeBatch(200)
    assert batch.extend([(None, b"x" * 500, 1, [], None), (None, b"", 1, [], None)]) == 1
    batch = FakeBatch(200)
    assert batch.extend([(b"k", b"v" * 50, 1, [], None)] * 3) == 2
    assert batch.size() <= 200
    assert len(batch.records) == 2


async def test_what_is_acknowledged_was_written(brokers: FakeBrokers) -> None:
    producer = await brokers.start_producer()
    await producer.write(batch_of(producer, b"1", b"2"), "t", 0)
    assert brokers.values() == [b"1", b"2"]
    assert producer.known_partitions("t") == await producer.partitions("t", timeout=1) == 1


async def test_a_refused_batch_writes_nothing_and_breaks_its_partition(brokers: FakeBrokers) -> None:
    brokers.create("t", refuses=lambda record: "invalid" if record.value == b"2" else None)
    producer = await brokers.start_producer()
    with pytest.raises(ContentRefused) as refused:
        await producer.write(batch_of(producer, b"1", b"2"), "t", 0)
    assert refused.value.reason == "invalid"
    with pytest.raises(ProducerBroken):
        await producer.write(batch_of(producer, b"1"), "t", 0)
    assert producer.begun_when_broken == 1
    assert brokers.values() == []
    fresh = await brokers.start_producer()
    await fresh.write(batch_of(fresh, b"1"), "t", 0)
    assert brokers.values() == [b"1"]


async def test_a_batch_above_the_limit_is_refused(brokers: FakeBrokers) -> None:
    brokers.create("t", limit=100)
    producer = await brokers.start_producer()
    with pytest.raises(ContentRefused, match="larger"):
        await producer.write(batch_of(producer, b"x" * 100), "t", 0)


async def test_a_lost_answer_leaves_the_batch_written(brokers: FakeBrokers) -> None:
    producer = await brokers.start_producer()
    brokers.lost_answers["t", 0].append(ProducerBroken("gone"))
    with pytest.raises(ProducerBroken):
        await producer.write(batch_of(producer, b"1"), "t", 0)
    assert brokers.values() == [b"1"]


async def test_frozen_brokers_answer_once_thawed(brokers: FakeBrokers) -> None:
    producer = await brokers.start_producer()
    brokers.freeze()
    with anyio.move_on_after(100) as scope:
        await producer.write(batch_of(producer, b"1"), "t", 0)
    assert scope.cancelled_caught
    async with anyio.create_task_group() as group:
        group.start_soon(producer.write, batch_of(producer, b"2"), "t", 0)
        await anyio.sleep(1)
        assert brokers.values() == []
        brokers.thaw()
    assert brokers.values() == [b"2"]


async def test_topics_are_missing_until_created(brokers: FakeBrokers) -> None:
    producer = await brokers.start_producer()
    with pytest.raises(TopicMissing):
        await producer.partitions("new", timeout=5)
    with pytest.raises(TopicMissing):
        await producer.write(batch_of(producer, b"1"), "new", 0)
    brokers.create_errors["bad"] = BrokerUnreachable("no")
    creation = await brokers.create_topics(["new", "bad"], NewTopics(partitions=2))
    assert creation.created == {"new"}
    assert set(creation.refused) == {"bad"}
    assert await producer.partitions("new", timeout=5) == 2
    with pytest.raises(TopicMissing):
        await producer.write(batch_of(producer, b"1"), "new", 2)
    assert set(await brokers.topic_limits(["new"])) == {"new"}


async def test_a_closed_producer_takes_nothing(brokers: FakeBrokers) -> None:
    producer = await brokers.start_producer()
    await producer.stop(timeout=1)
    with pytest.raises(AssertionError, match="after it was closed"):
        await producer.write(batch_of(producer, b"1"), "t", 0)


async def test_time_jumps_to_the_next_timer() -> None:
    real, loop = time.monotonic(), anyio.current_time()
    await anyio.sleep(3600)
    assert anyio.current_time() - loop >= 3600
    assert time.monotonic() - real < 60


def test_a_test_in_which_everybody_waits_fails() -> None:
    with pytest.raises(EverybodyWaitsError):
        anyio.run(anyio.sleep_forever, backend_options={"loop_factory": JumpingLoop})
