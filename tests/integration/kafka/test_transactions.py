"""Transactions: what they hide, and where they mislead."""

from collections.abc import Callable

import anyio
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalOperation, MessageSizeTooLargeError, OutOfOrderSequenceNumber
from anyio.lowlevel import checkpoint

from tests.brokers.admin import create_topic
from tests.brokers.cluster import KafkaCluster
from tests.brokers.reader import Isolation, end_offsets, read_all, until_decided
from tests.brokers.waiting import eventually
from tests.integration.kafka.producing import batch_of, rows, transactional_producer


async def test_a_commit_shows_the_rows_and_an_abort_hides_them(
    cluster: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await create_topic(cluster.bootstrap_servers, topic_name())
    async with transactional_producer(cluster.bootstrap_servers, topic_name()) as producer:
        async with producer.transaction():
            await (await producer.send_batch(batch_of(producer, rows(3)), topic, partition=0))
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"aborted")
        await producer.abort_transaction()
        async with producer.transaction():
            await producer.send_and_wait(topic, b"last")

    assert await _values(cluster, topic, "read_committed") == [*rows(3), b"last"]
    assert await _values(cluster, topic, "read_uncommitted") == [*rows(3), b"aborted", b"last"]


async def test_an_open_transaction_holds_back_read_committed_readers(
    cluster: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await create_topic(cluster.bootstrap_servers, topic_name())
    servers = cluster.bootstrap_servers
    async with (
        transactional_producer(servers, topic_name()) as slow,
        transactional_producer(servers, topic_name()) as quick,
    ):
        await slow.begin_transaction()
        await slow.send_and_wait(topic, b"slow")
        async with quick.transaction():
            await quick.send_and_wait(topic, b"quick")
        assert await end_offsets(servers, topic, isolation="read_committed") == {0: 0}
        assert await end_offsets(servers, topic, isolation="read_uncommitted") == {0: 3}  # and a marker
        assert await read_all(servers, topic) == []
        await slow.commit_transaction()

    records = await read_all(servers, topic, until=2)
    assert [record.value for record in records] == [b"slow", b"quick"]


async def test_offsets_of_a_group_are_committed_with_the_rows(
    cluster: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await create_topic(cluster.bootstrap_servers, topic_name())
    group, partition = topic_name(), TopicPartition(topic, 0)
    async with transactional_producer(cluster.bootstrap_servers, topic_name()) as producer:
        async with producer.transaction():
            await producer.send_and_wait(topic, b"row")
            await producer.send_offsets_to_transaction({partition: 41}, group)
        await producer.begin_transaction()
        await producer.send_offsets_to_transaction({partition: 99}, group)
        await producer.abort_transaction()

    async with AIOKafkaConsumer(
        bootstrap_servers=cluster.bootstrap_servers, group_id=group, enable_auto_commit=False
    ) as consumer:
        consumer.assign([partition])
        assert await consumer.committed(partition) == 41


async def test_a_commit_succeeds_although_a_batch_of_it_failed(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await _topic_of_small_records(kafka, topic_name)
    async with transactional_producer(kafka.bootstrap_servers, topic_name()) as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"good")
        lost = await producer.send(topic, bytes(3_000))
        await producer.commit_transaction()  # says nothing: so await every future before it
        with pytest.raises(MessageSizeTooLargeError):
            await lost

    assert await _values(kafka, topic, "read_committed") == [b"good"]


async def test_a_failed_batch_leaves_a_hole_that_outlives_its_transaction(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await _topic_of_small_records(kafka, topic_name)
    async with transactional_producer(kafka.bootstrap_servers, topic_name()) as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"good")
        with pytest.raises(MessageSizeTooLargeError):
            await producer.send_and_wait(topic, bytes(3_000))
        await producer.abort_transaction()
        await producer.begin_transaction()
        with pytest.raises(OutOfOrderSequenceNumber):
            await producer.send_and_wait(topic, b"innocent")
        await producer.abort_transaction()

    assert await _values(kafka, topic, "read_committed") == []


async def test_a_send_outside_of_a_transaction_or_during_its_commit_is_refused(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await create_topic(kafka.bootstrap_servers, topic_name())
    async with transactional_producer(kafka.bootstrap_servers, topic_name()) as producer:
        with pytest.raises(IllegalOperation):
            await producer.send(topic, b"before")
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"within")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(producer.commit_transaction)
            await checkpoint()  # the commit is on its way
            with pytest.raises(IllegalOperation):
                await producer.send(topic, b"during")

    assert await _values(kafka, topic, "read_committed") == [b"within"]


async def test_after_a_cancelled_transaction_begin_fails_until_its_abort_ended(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await create_topic(kafka.bootstrap_servers, topic_name())
    async with transactional_producer(kafka.bootstrap_servers, topic_name()) as producer:
        with anyio.CancelScope() as scope:
            async with producer.transaction():
                await producer.send_and_wait(topic, b"cancelled")
                scope.cancel()
                await checkpoint()

        async def has_begun() -> bool:
            # Until the abort in the background has ended, which may be at once.
            try:
                await producer.begin_transaction()
            except AssertionError as error:
                if "ABORTING_TRANSACTION" not in str(error):
                    raise
                return False
            return True

        await eventually(has_begun)
        await producer.send_and_wait(topic, b"next")
        await producer.commit_transaction()

    assert await _values(kafka, topic, "read_committed") == [b"next"]


async def _values(cluster: KafkaCluster, topic: str, isolation: Isolation) -> list[bytes | None]:
    """What the topic holds once no transaction on it is undecided."""
    await until_decided(cluster.bootstrap_servers, topic)
    return [record.value for record in await read_all(cluster.bootstrap_servers, topic, isolation=isolation)]


async def _topic_of_small_records(kafka: KafkaCluster, topic_name: Callable[[], str]) -> str:
    return await create_topic(kafka.bootstrap_servers, topic_name(), config={"max.message.bytes": "2000"})
