"""No broker, or a silent one: what waits for ever, what raises, and what is left behind."""

import asyncio
from collections.abc import Callable

import anyio
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError

from tests.brokers.admin import create_topic
from tests.brokers.cluster import KafkaCluster
from tests.brokers.ports import free_ports
from tests.brokers.reader import read_all
from tests.integration.kafka.producing import batch_of, idempotent_producer, rows

IMPATIENT = {"request_timeout_ms": 1_000}


@pytest.fixture
def cluster(alone: KafkaCluster) -> KafkaCluster:
    """One broker that these tests freeze, one test after the other."""
    return alone


async def test_start_raises_where_nobody_listens() -> None:
    (port,) = free_ports(1)
    producer = AIOKafkaProducer(bootstrap_servers=f"127.0.0.1:{port}", enable_idempotence=True)
    with anyio.fail_after(10.0), pytest.raises(KafkaConnectionError, match="Unable to bootstrap"):
        await producer.start()
    await producer.stop()


async def test_start_raises_when_the_broker_is_silent(cluster: KafkaCluster) -> None:
    cluster.broker(1).freeze()
    producer = AIOKafkaProducer(bootstrap_servers=cluster.bootstrap_servers, **IMPATIENT)
    with anyio.fail_after(10.0), pytest.raises(KafkaConnectionError, match="Unable to bootstrap"):
        await producer.start()
    await producer.stop()


async def test_a_full_queue_times_out_and_the_same_batch_may_be_sent_again(
    cluster: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await create_topic(cluster.bootstrap_servers, topic_name())
    async with idempotent_producer(cluster.bootstrap_servers, **IMPATIENT) as producer:
        await producer.send_and_wait(topic, b"first")
        cluster.broker(1).freeze()
        on_its_way, queued, refused = (batch_of(producer, [value]) for value in rows(3))
        futures = [await producer.send_batch(on_its_way, topic, partition=0)]
        futures.append(await producer.send_batch(queued, topic, partition=0))
        with pytest.raises(KafkaTimeoutError):
            await producer.send_batch(refused, topic, partition=0)
        cluster.broker(1).thaw()
        futures.append(await producer.send_batch(refused, topic, partition=0))
        for future in futures:
            await future

    records = await read_all(cluster.bootstrap_servers, topic)
    assert [record.value for record in records] == [b"first", *rows(3)]


async def test_stop_waits_for_a_silent_broker_for_ever_and_cut_short_leaves_its_tasks(
    cluster: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await create_topic(cluster.bootstrap_servers, topic_name())
    producer = AIOKafkaProducer(
        bootstrap_servers=cluster.bootstrap_servers, enable_idempotence=True, **IMPATIENT
    )
    await producer.start()
    await producer.send_and_wait(topic, b"first")
    cluster.broker(1).freeze()
    row = await producer.send(topic, b"held")
    with anyio.move_on_after(3 * IMPATIENT["request_timeout_ms"] / 1000) as scope:
        await producer.stop()

    assert scope.cancelled_caught  # idempotent batches never expire
    await producer.stop()  # does nothing
    assert not row.done()
    assert not producer._sender.sender_task.done()
    cluster.broker(1).thaw()
    await row  # what was left behind still delivers
    await producer._sender.close()
    await producer.client.close()
    await asyncio.sleep(0)
