"""What a producer sees that lost its transactional id to another, or its transaction to the coordinator."""

from collections.abc import Callable

import aiokafka.errors
import pytest
from aiokafka.errors import ProducerFenced

from tests.brokers.admin import create_topic
from tests.brokers.cluster import KafkaCluster
from tests.brokers.reader import end_offsets, read_all, until_decided
from tests.brokers.waiting import eventually
from tests.integration.kafka.producing import transaction_error, transactional_producer

PRODUCER_FENCED = 90


async def test_fenced_amid_a_transaction_the_send_and_the_commit_say_so(
    cluster: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await create_topic(cluster.bootstrap_servers, topic_name())
    transactional_id = topic_name()
    async with transactional_producer(cluster.bootstrap_servers, transactional_id) as old:
        await old.begin_transaction()
        await old.send_and_wait(topic, b"old")
        async with transactional_producer(cluster.bootstrap_servers, transactional_id) as new:
            with pytest.raises(ProducerFenced):
                await old.send_and_wait(topic, b"late")
            with pytest.raises(ProducerFenced):
                await old.commit_transaction()
            for beyond_repair in (old.commit_transaction, old.abort_transaction, old.begin_transaction):
                with pytest.raises(AssertionError, match="FATAL_ERROR"):
                    await beyond_repair()
            async with new.transaction():
                await new.send_and_wait(topic, b"new")

    await until_decided(cluster.bootstrap_servers, topic)
    assert [record.value for record in await read_all(cluster.bootstrap_servers, topic)] == [b"new"]


async def test_fenced_before_the_first_row_the_commit_raises_a_bare_assertion_error(
    cluster: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await create_topic(cluster.bootstrap_servers, topic_name())
    transactional_id = topic_name()
    async with transactional_producer(cluster.bootstrap_servers, transactional_id) as old:
        await old.begin_transaction()
        async with transactional_producer(cluster.bootstrap_servers, transactional_id):
            with pytest.raises(ProducerFenced):  # the sender dies of it, so the producer is beyond repair
                await old.send_and_wait(topic, b"late")
            with pytest.raises(AssertionError, match="FATAL_ERROR"):
                await old.commit_transaction()
        assert isinstance(transaction_error(old), ProducerFenced)


async def test_fenced_with_all_rows_acknowledged_the_commit_says_so(
    cluster: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await create_topic(cluster.bootstrap_servers, topic_name())
    transactional_id = topic_name()
    async with transactional_producer(cluster.bootstrap_servers, transactional_id) as old:
        await old.begin_transaction()
        await old.send_and_wait(topic, b"old")
        async with transactional_producer(cluster.bootstrap_servers, transactional_id):
            with pytest.raises(ProducerFenced):
                await old.commit_transaction()

    assert await read_all(cluster.bootstrap_servers, topic) == []


async def test_a_transaction_that_timed_out_looks_fenced(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await create_topic(kafka.bootstrap_servers, topic_name())
    async with transactional_producer(
        kafka.bootstrap_servers, topic_name(), transaction_timeout_ms=1_000
    ) as slow:
        await slow.begin_transaction()
        await slow.send_and_wait(topic, b"too slow")

        async def is_aborted() -> bool:
            ends = await end_offsets(kafka.bootstrap_servers, topic, isolation="read_committed")
            return ends == {0: 2}  # the row, and the marker of its abort

        await eventually(is_aborted)
        with pytest.raises(ProducerFenced):
            await slow.send_and_wait(topic, b"later")
        with pytest.raises(ProducerFenced):
            await slow.commit_transaction()

    assert await read_all(kafka.bootstrap_servers, topic) == []


def test_aiokafka_does_not_know_the_error_producer_fenced() -> None:
    """Brokers tell 0.14, which speaks old versions, of INVALID_PRODUCER_EPOCH instead."""
    known = {getattr(one, "errno", None) for one in vars(aiokafka.errors).values()}
    assert PRODUCER_FENCED not in known
