"""The mock cluster serves aiokafka, and fails when told to."""

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from tests.standins.mock_kafka import ApiKey, KafkaCode, MockKafka


async def test_rows_are_acknowledged_by_the_topics_partitions(mock_kafka: MockKafka) -> None:
    mock_kafka.create_topic("rows", partitions=3)
    async with AIOKafkaProducer(
        bootstrap_servers=mock_kafka.bootstrap_servers, acks="all", enable_idempotence=True
    ) as producer:
        assert await producer.partitions_for("rows") == {0, 1, 2}
        assert await producer.partitions_for("unknown yet") == {0, 1, 2, 3}
        offsets = [(await producer.send_and_wait("rows", b"x", partition=1)).offset for _ in range(3)]
    assert offsets == [0, 1, 2]


async def test_a_request_fails_as_often_as_told(mock_kafka: MockKafka) -> None:
    async with AIOKafkaProducer(
        bootstrap_servers=mock_kafka.bootstrap_servers, retry_backoff_ms=10
    ) as producer:
        mock_kafka.push_errors(ApiKey.PRODUCE, [KafkaCode.NOT_LEADER_OR_FOLLOWER] * 2)
        assert (await producer.send_and_wait("rows", b"x")).offset == 0
        mock_kafka.push_errors(ApiKey.PRODUCE, [KafkaCode.MESSAGE_TOO_LARGE])
        with pytest.raises(MessageSizeTooLargeError):
            await producer.send_and_wait("rows", b"x")


async def test_brokers_go_down_and_come_back() -> None:
    with MockKafka(brokers=2) as cluster:
        assert len(cluster.bootstrap_servers.split(",")) == 2
        cluster.create_topic("rows", partitions=1, replication_factor=2)
        cluster.set_leader("rows", 0, 1)
        async with AIOKafkaProducer(
            bootstrap_servers=cluster.bootstrap_servers, retry_backoff_ms=20
        ) as producer:
            await producer.send_and_wait("rows", b"x")
            cluster.down(1)
            cluster.up(1)
            cluster.set_rtt(0.01)
            await producer.send_and_wait("rows", b"x")


def test_a_mistake_is_named(mock_kafka: MockKafka) -> None:
    mock_kafka.create_topic("rows")
    with pytest.raises(RuntimeError, match="mock cluster answered"):
        mock_kafka.create_topic("rows")
