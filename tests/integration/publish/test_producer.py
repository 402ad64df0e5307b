"""The producer by itself: what it raises, and that it closes within seconds whatever the brokers do."""

import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import anyio
import pytest
from anyio.lowlevel import checkpoint

from connector.errors import ConnectorError
from connector.kafka import (
    Batch,
    BrokerUnreachable,
    ContentRefused,
    KafkaSettings,
    NewTopics,
    Producer,
    ProducerBroken,
    TopicMissing,
    create_topics,
    topic_limits,
)
from tests.brokers.admin import create_topic
from tests.brokers.cluster import KafkaCluster
from tests.brokers.ports import free_ports
from tests.brokers.reader import end_offsets
from tests.integration.publish.leftovers import nothing_left_behind
from tests.integration.publish.publishing import IMPATIENT, KAFKA, STOP_DEADLINE

SETTINGS = pytest.mark.parametrize("settings", [KAFKA, IMPATIENT], ids=["patient", "impatient"])


def batch_of(producer: Producer, values: int = 1, size: int = 10) -> Batch:
    batch = producer.new_batch(1 << 20)
    now_ms = time.time_ns() // 1_000_000
    assert batch.extend([(b"k", b"x" * size, now_ms, [], None)] * values) == values
    return batch


async def ignored(producer: Producer, topic: str, partition: int, size: int = 10) -> None:
    """Write, whatever comes of it."""
    try:
        await producer.write(batch_of(producer, size=size), topic, partition)
    except ConnectorError:
        return


@asynccontextmanager
async def producing(kafka: KafkaCluster, settings: KafkaSettings, topic: str) -> AsyncIterator[Producer]:
    """A producer that wrote to four partitions; it must be closed inside, and leave nothing behind."""
    await create_topic(kafka.bootstrap_servers, topic, partitions=4)
    async with nothing_left_behind():
        producer = await Producer.start(replace(settings, bootstrap_servers=kafka.bootstrap_servers))
        for partition in range(4):
            await producer.write(batch_of(producer), topic, partition)
        yield producer
        del producer


@SETTINGS
@pytest.mark.parametrize("wait", [0.0, 0.05, 2.1], ids=["at-once", "soon", "timed-out"])
@pytest.mark.parametrize("close", ["stop", "discard"])
async def test_closing_amid_writes_to_a_frozen_broker(
    alone: KafkaCluster, topic_name: Callable[[], str], settings: KafkaSettings, wait: float, close: str
) -> None:
    topic = topic_name()
    async with producing(alone, settings, topic) as producer:
        alone.broker(1).freeze()
        async with anyio.create_task_group() as group:
            for partition in range(4):
                group.start_soon(ignored, producer, topic, partition, 500_000)
            await anyio.sleep(wait)
            with anyio.fail_after(STOP_DEADLINE):
                await (producer.stop(timeout=1) if close == "stop" else producer.discard())
            with anyio.fail_after(STOP_DEADLINE):
                while group._tasks:  # type: ignore[attr-defined]  # noqa: ASYNC110 - every write ended
                    await anyio.sleep(0.01)
        with pytest.raises(ProducerBroken):
            await producer.write(batch_of(producer), topic, 0)
        await producer.discard()  # again does nothing


@SETTINGS
@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5, 8, 20])
async def test_discarding_at_any_step_of_a_write(
    kafka: KafkaCluster, topic_name: Callable[[], str], settings: KafkaSettings, steps: int
) -> None:
    topic = topic_name()
    async with producing(kafka, settings, topic) as producer, anyio.create_task_group() as group:
        group.start_soon(ignored, producer, topic, 0)
        for _ in range(steps):
            await checkpoint()
        group.cancel_scope.cancel()
        await producer.discard()


async def test_discarding_while_a_killed_broker_is_looked_for(
    alone: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = topic_name()
    async with producing(alone, KAFKA, topic) as producer, anyio.create_task_group() as group:
        alone.broker(1).kill()
        for partition in range(4):
            group.start_soon(ignored, producer, topic, partition)
        await anyio.sleep(0.15)  # amid aiokafka's backoff
        await producer.discard()


async def test_stopping_lets_what_is_queued_land(kafka: KafkaCluster, topic_name: Callable[[], str]) -> None:
    topic = topic_name()
    async with producing(kafka, KAFKA, topic) as producer, anyio.create_task_group() as group:
        for partition in range(4):
            group.start_soon(ignored, producer, topic, partition)
        for _ in range(3):
            await checkpoint()
        await producer.stop(timeout=5)
    assert set((await end_offsets(kafka.bootstrap_servers, topic)).values()) == {2}


@pytest.mark.parametrize("broker", ["nobody", "frozen"])
async def test_starting_without_a_broker(alone: KafkaCluster, broker: str) -> None:
    (port,) = free_ports(1)
    servers = f"127.0.0.1:{port}"
    if broker == "frozen":
        servers = alone.bootstrap_servers
        alone.broker(1).freeze()
    settings = replace(KAFKA, bootstrap_servers=servers, request_timeout=1.0)
    async with nothing_left_behind():
        with pytest.raises(BrokerUnreachable, match=servers):
            await Producer.start(settings)
        with pytest.raises(BrokerUnreachable, match=servers):
            await create_topics(settings, ["t"], NewTopics())
        with pytest.raises(BrokerUnreachable, match=servers):
            await topic_limits(settings, ["t"])
        with anyio.move_on_after(0.1), suppress(BrokerUnreachable):
            await Producer.start(settings)


async def started_and_discarded(settings: KafkaSettings) -> None:
    await (await Producer.start(settings)).discard()


async def topics_created(settings: KafkaSettings) -> None:
    await create_topics(settings, ["cut-short"], NewTopics())


@pytest.mark.parametrize("connect", [started_and_discarded, topics_created])
async def test_connecting_cut_short_at_any_step_leaves_nothing_behind(
    kafka: KafkaCluster, connect: Callable[[KafkaSettings], Coroutine[None, None, None]]
) -> None:
    settings = replace(KAFKA, bootstrap_servers=kafka.bootstrap_servers)
    async with nothing_left_behind():
        for steps in range(60):
            async with anyio.create_task_group() as group:
                group.start_soon(connect, settings)
                for _ in range(steps):
                    await anyio.sleep(0.0002)
                group.cancel_scope.cancel()


async def test_what_cannot_be_written_to_is_told_apart(
    alone: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic, missing = topic_name(), topic_name()
    async with producing(alone, IMPATIENT, topic) as producer:
        with pytest.raises(TopicMissing):
            await producer.partitions(missing, timeout=0.3)
        with pytest.raises(TopicMissing):
            await producer.write(batch_of(producer), missing, 0)
        with pytest.raises(TopicMissing):
            await producer.write(batch_of(producer), topic, 4)
        await producer.write(batch_of(producer), topic, 3)  # none of that harms it
        assert producer.known_partitions(topic) == 4
        assert producer.known_partitions(missing) is None
        alone.broker(1).freeze()
        with suppress(BrokerUnreachable, TopicMissing):
            await producer.partitions(topic_name(), timeout=0.3)  # an answer was under way before
        with pytest.raises(BrokerUnreachable):
            await producer.partitions(topic_name(), timeout=0.3)
        await producer.discard()


class Answers:
    """What became of batches that were offered."""

    def __init__(self) -> None:
        self.heard: list[ConnectorError | None] = []

    async def until(self, count: int) -> None:
        with anyio.fail_after(20):
            while len(self.heard) < count:  # noqa: ASYNC110 - told by a callback
                await anyio.sleep(0.01)


async def test_a_batch_that_is_offered_is_answered_when_it_is_written(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic, answers = topic_name(), Answers()
    async with producing(kafka, KAFKA, topic) as producer:
        assert producer.offer(batch_of(producer), topic, 0, answers.heard.append)
        assert not producer.offer(batch_of(producer), topic, 0, answers.heard.append)  # behind another
        await answers.until(1)
        assert producer.offer(batch_of(producer), topic, 0, answers.heard.append)
        await answers.until(2)
        assert answers.heard == [None, None]
        assert (await end_offsets(kafka.bootstrap_servers, topic))[0] == 3
        assert not producer.offer(batch_of(producer), topic_name(), 0, answers.heard.append)  # unknown
        assert not producer.offer(batch_of(producer), topic, 4, answers.heard.append)
        await producer.discard()
        assert not producer.offer(batch_of(producer), topic, 1, answers.heard.append)
    assert len(answers.heard) == 2


async def test_a_batch_that_is_offered_and_refused_is_told_by_name(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic, answers = topic_name(), Answers()
    await create_topic(kafka.bootstrap_servers, topic, config={"max.message.bytes": "2000"})
    async with nothing_left_behind():
        producer = await Producer.start(replace(KAFKA, bootstrap_servers=kafka.bootstrap_servers))
        await producer.partitions(topic, timeout=5)
        assert producer.offer(batch_of(producer, size=3000), topic, 0, answers.heard.append)
        await answers.until(1)
        await producer.discard()
    assert isinstance(answers.heard[0], ContentRefused)
    assert answers.heard[0].reason == "too_large"


@pytest.mark.parametrize("wait", [0.0, 0.05, 2.1], ids=["at-once", "soon", "timed-out"])
async def test_a_batch_that_is_offered_is_never_called_written_by_a_producer_that_was_discarded(
    alone: KafkaCluster, topic_name: Callable[[], str], wait: float
) -> None:
    topic, answers = topic_name(), Answers()
    async with producing(alone, IMPATIENT, topic) as producer:
        alone.broker(1).freeze()
        for partition in range(4):
            assert producer.offer(batch_of(producer, size=500_000), topic, partition, answers.heard.append)
        await anyio.sleep(wait)
        await producer.discard()
    assert None not in answers.heard
