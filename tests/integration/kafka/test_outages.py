"""
Three brokers of which one is killed or frozen: the idempotent producer loses nothing and doubles nothing.

Not proved: power loss (what a killed broker wrote stays with the page cache), and the loss of a majority.
"""

from asyncio import Future
from collections.abc import Callable
from contextlib import suppress
from typing import cast

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError
from aiokafka.structs import RecordMetadata

from tests.brokers.admin import create_topic, leader_of
from tests.brokers.broker import Broker
from tests.brokers.cluster import KafkaCluster
from tests.brokers.reader import read_all
from tests.integration.kafka.producing import idempotent_producer, rows, transactional_producer

ROWS = 1_500
IMPATIENT = {"request_timeout_ms": 2_000, "max_batch_size": 1_000}
"""Small batches, so that some are always on their way."""


@pytest.fixture
def cluster(fragile: KafkaCluster) -> KafkaCluster:
    """Three brokers that these tests harm, one test after the other."""
    return fragile


@pytest.mark.parametrize("harm", [Broker.kill, Broker.freeze])
async def test_an_idempotent_producer_outlives_the_leader_of_its_partition(
    cluster: KafkaCluster, topic_name: Callable[[], str], harm: Callable[[Broker], None]
) -> None:
    topic = await create_topic(cluster.bootstrap_servers, topic_name())
    leader = cluster.broker(await leader_of(cluster.bootstrap_servers, topic))
    async with idempotent_producer(cluster.bootstrap_servers, **IMPATIENT) as producer:
        await _send_rows(producer, topic, lambda: harm(leader))

    if leader.is_running:
        leader.thaw()
    records = await read_all(cluster.bootstrap_servers, topic, until=ROWS)
    assert [record.value for record in records] == rows(ROWS)


@pytest.mark.parametrize("harm", [Broker.kill, Broker.freeze])
async def test_a_transaction_outlives_the_leader_of_its_partition(
    cluster: KafkaCluster, topic_name: Callable[[], str], harm: Callable[[Broker], None]
) -> None:
    topic = await create_topic(cluster.bootstrap_servers, topic_name())
    leader = cluster.broker(await leader_of(cluster.bootstrap_servers, topic))
    async with transactional_producer(
        cluster.bootstrap_servers, topic_name(), transaction_timeout_ms=60_000, **IMPATIENT
    ) as producer:
        await producer.begin_transaction()
        await _send_rows(producer, topic, lambda: harm(leader))
        await producer.commit_transaction()

    if leader.is_running:
        leader.thaw()
    records = await read_all(cluster.bootstrap_servers, topic, until=ROWS)
    assert [record.value for record in records] == rows(ROWS)


async def _send_rows(producer: AIOKafkaProducer, topic: str, harm: Callable[[], None]) -> None:
    """Send ROWS rows and await them; harm the cluster amid them, while some are on their way."""
    futures: list[Future[RecordMetadata]] = []
    for number, value in enumerate(rows(ROWS)):
        if number == ROWS // 3:
            assert not futures[-1].done()
            harm()
        futures.append(await _send(producer, topic, value))
    for future in futures:
        await future


async def _send(producer: AIOKafkaProducer, topic: str, value: bytes) -> "Future[RecordMetadata]":
    """Ask again whenever the full queue times out: the row was not taken, so it cannot double."""
    while True:
        with suppress(KafkaTimeoutError):
            return cast("Future[RecordMetadata]", await producer.send(topic, value))
