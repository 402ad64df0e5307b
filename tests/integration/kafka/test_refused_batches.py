"""What the broker refuses, it refuses with the whole batch; and what that does to the producer."""

import time
from collections.abc import Callable

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import InvalidTimestampError, MessageSizeTooLargeError, OutOfOrderSequenceNumber

from tests.brokers.admin import create_topic
from tests.brokers.cluster import KafkaCluster
from tests.brokers.reader import end_offsets, read_all
from tests.integration.kafka.producing import batch_of, idempotent_producer, rows

BIG_BATCH = 1 << 20
TWO_HOURS_MS = 2 * 3600 * 1000


async def test_a_batch_above_the_limit_of_the_topic_is_refused_whole(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    limit = {"max.message.bytes": "200000"}
    topic = await create_topic(kafka.bootstrap_servers, topic_name(), config=limit)
    async with idempotent_producer(kafka.bootstrap_servers, max_batch_size=BIG_BATCH) as producer:
        future = await producer.send_batch(batch_of(producer, rows(890, size=1000)), topic, partition=0)
        with pytest.raises(MessageSizeTooLargeError):
            await future

    assert await end_offsets(kafka.bootstrap_servers, topic) == {0: 0}


async def test_a_batch_with_one_row_stamped_too_far_ahead_is_refused_whole(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await create_topic(kafka.bootstrap_servers, topic_name())
    now_ms = int(time.time() * 1000)
    async with idempotent_producer(kafka.bootstrap_servers) as producer:
        batch = producer.create_batch()
        for value in rows(99):
            batch.append(key=None, value=value, timestamp=now_ms)
        batch.append(key=None, value=b"from the future", timestamp=now_ms + TWO_HOURS_MS)
        future = await producer.send_batch(batch, topic, partition=0)
        with pytest.raises(InvalidTimestampError):
            await future

    assert await end_offsets(kafka.bootstrap_servers, topic) == {0: 0}


async def test_after_a_first_record_that_is_too_large_later_sends_work(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await _topic_of_small_records(kafka, topic_name)
    async with idempotent_producer(kafka.bootstrap_servers) as producer:
        await _send_too_large(producer, topic)
        await producer.send_and_wait(topic, b"small")

    assert [record.value for record in await read_all(kafka.bootstrap_servers, topic)] == [b"small"]


async def test_after_a_refused_batch_between_good_ones_sequence_numbers_have_a_hole(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await _topic_of_small_records(kafka, topic_name)
    async with idempotent_producer(kafka.bootstrap_servers) as producer:
        await producer.send_and_wait(topic, b"good")
        await _send_too_large(producer, topic)
        for _ in range(3):  # for ever: only another producer helps
            with pytest.raises(OutOfOrderSequenceNumber):
                await producer.send_and_wait(topic, b"innocent")
    async with idempotent_producer(kafka.bootstrap_servers) as producer:
        await producer.send_and_wait(topic, b"of another producer")

    values = [record.value for record in await read_all(kafka.bootstrap_servers, topic)]
    assert values == [b"good", b"of another producer"]


async def test_a_batch_is_not_held_to_max_request_size(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await create_topic(kafka.bootstrap_servers, topic_name())
    sizes = {"max_batch_size": BIG_BATCH, "max_request_size": 1_000}
    async with idempotent_producer(kafka.bootstrap_servers, **sizes) as producer:
        with pytest.raises(MessageSizeTooLargeError):
            await producer.send(topic, bytes(2_000))
        await (await producer.send_batch(batch_of(producer, [bytes(2_000)]), topic, partition=0))


async def _topic_of_small_records(kafka: KafkaCluster, topic_name: Callable[[], str]) -> str:
    return await create_topic(kafka.bootstrap_servers, topic_name(), config={"max.message.bytes": "2000"})


async def _send_too_large(producer: AIOKafkaProducer, topic: str) -> None:
    with pytest.raises(MessageSizeTooLargeError):
        await producer.send_and_wait(topic, bytes(3_000))
