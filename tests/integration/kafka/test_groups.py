"""Consumer groups of two, as the connector's workers will form."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition

from tests.brokers.admin import create_topic
from tests.brokers.cluster import KafkaCluster
from tests.brokers.waiting import eventually

PARTITIONS = 4


class Rebalances(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Counts how often partitions were taken away."""

    def __init__(self) -> None:
        self.revoked = 0

    async def on_partitions_revoked(self, revoked: frozenset[TopicPartition]) -> None:
        self.revoked += 1

    async def on_partitions_assigned(self, assigned: frozenset[TopicPartition]) -> None: ...


async def test_two_members_share_the_partitions_and_the_last_gets_all(
    cluster: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await create_topic(cluster.bootstrap_servers, topic_name(), partitions=PARTITIONS)
    group = topic_name()
    async with _member(cluster, group, topic) as first:
        assert _partitions(first) == {0, 1, 2, 3}
        async with _member(cluster, group, topic) as second:
            await _until_balanced(first, second)
        await _until_owned(first, PARTITIONS)


async def test_a_static_member_that_comes_back_moves_nothing(
    cluster: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await create_topic(cluster.bootstrap_servers, topic_name(), partitions=PARTITIONS)
    group, rebalances = topic_name(), Rebalances()
    async with _member(cluster, group, topic, "worker-0", rebalances) as stays:
        async with _member(cluster, group, topic, "worker-1") as goes:
            await _until_balanced(stays, goes)
            before = _partitions(stays), _partitions(goes)
        seen = rebalances.revoked
        async with _member(cluster, group, topic, "worker-1") as back:
            assert (_partitions(stays), _partitions(back)) == before
            assert rebalances.revoked == seen


@asynccontextmanager
async def _member(
    cluster: KafkaCluster,
    group: str,
    topic: str,
    group_instance_id: str | None = None,
    listener: Rebalances | None = None,
) -> AsyncIterator[AIOKafkaConsumer]:
    """A member that has joined."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=cluster.bootstrap_servers,
        group_id=group,
        group_instance_id=group_instance_id,
        session_timeout_ms=20_000,
        heartbeat_interval_ms=200,
        enable_auto_commit=False,
    )
    consumer.subscribe([topic], listener=listener)
    try:
        with anyio.fail_after(30.0):
            await consumer.start()
        yield consumer
    finally:
        with anyio.fail_after(10.0, shield=True):
            await consumer.stop()


def _partitions(member: AIOKafkaConsumer) -> set[int]:
    return {partition.partition for partition in member.assignment()}


async def _until_balanced(*members: AIOKafkaConsumer) -> None:
    for member in members:
        await _until_owned(member, PARTITIONS // len(members))
    assert set.union(*map(_partitions, members)) == set(range(PARTITIONS))


async def _until_owned(member: AIOKafkaConsumer, count: int) -> None:
    async def owns() -> bool:
        return len(_partitions(member)) == count

    await eventually(owns)
