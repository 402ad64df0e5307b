"""aiokafka's idempotent producer, row by row and in batches of our own."""

from collections.abc import Callable

import pytest

from tests.brokers.admin import create_topic
from tests.brokers.cluster import KafkaCluster
from tests.brokers.reader import read_all
from tests.integration.kafka.producing import batch_of, idempotent_producer, rows


async def test_idempotent_sends_arrive_once_and_in_order(
    cluster: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await create_topic(cluster.bootstrap_servers, topic_name())
    values = rows(500)
    async with idempotent_producer(cluster.bootstrap_servers, linger_ms=5) as producer:
        futures = [await producer.send(topic, value) for value in values]
        offsets = [(await future).offset for future in futures]

    assert offsets == list(range(500))
    assert [record.value for record in await read_all(cluster.bootstrap_servers, topic)] == values


async def test_batches_arrive_once_and_in_order(cluster: KafkaCluster, topic_name: Callable[[], str]) -> None:
    topic = await create_topic(cluster.bootstrap_servers, topic_name(), partitions=2)
    values = rows(900)
    async with idempotent_producer(cluster.bootstrap_servers) as producer:
        for start in range(0, 900, 300):
            batch = batch_of(producer, values[start : start + 300])
            future = await producer.send_batch(batch, topic, partition=1)
            acknowledged = await future
            assert (acknowledged.partition, acknowledged.offset) == (1, start)  # of its first row

    records = await read_all(cluster.bootstrap_servers, topic)
    assert [(record.partition, record.value) for record in records] == [(1, value) for value in values]


@pytest.mark.parametrize("compression", [None, "gzip", "snappy", "lz4", "zstd"])
async def test_every_compression_is_read_back(
    cluster: KafkaCluster, topic_name: Callable[[], str], compression: str | None
) -> None:
    topic = await create_topic(cluster.bootstrap_servers, topic_name())
    values = rows(100, size=100)
    async with idempotent_producer(cluster.bootstrap_servers, compression_type=compression) as producer:
        for sent in (
            await producer.send(topic, b"alone"),
            await producer.send_batch(batch_of(producer, values), topic, partition=0),
        ):
            await sent

    records = await read_all(cluster.bootstrap_servers, topic)
    assert [record.value for record in records] == [b"alone", *values]


async def test_a_full_batch_takes_no_more(kafka: KafkaCluster) -> None:
    async with idempotent_producer(kafka.bootstrap_servers, max_batch_size=10_000) as producer:
        batch = producer.create_batch()
        while batch.append(key=None, value=bytes(1_000), timestamp=None) is not None:
            pass
        assert batch.record_count() == 9
        assert batch.size() <= 10_000
