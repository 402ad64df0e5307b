"""Topics for tests."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import anyio
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import NodeNotReadyError

from tests.brokers.waiting import eventually

DEADLINE = 90.0


@asynccontextmanager
async def admin_client(bootstrap_servers: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """A started admin client, closed at the end."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    try:
        await client.start()
        yield client
    finally:
        with anyio.move_on_after(5.0, shield=True):
            await client.close()


async def create_topic(
    bootstrap_servers: str,
    topic: str,
    *,
    partitions: int = 1,
    replication_factor: int = -1,
    config: Mapping[str, str] | None = None,
) -> str:
    """
    Create a topic, wait until every partition has a leader, and return the topic's name.

    Args:
        replication_factor: -1 is the cluster's default: as many as there are brokers.
        config: Settings of the topic.

    Raises:
        AssertionError: The cluster refused; the message is its answer.
        TimeoutError: DEADLINE passed.
    """
    # NewTopic takes -1 only beside an assignment that is not None: an empty one passes, and means none.
    assignments: dict[int, list[int]] | None = {} if replication_factor == -1 else None
    new = NewTopic(topic, partitions, replication_factor, assignments, dict(config or {}))
    with anyio.fail_after(DEADLINE):
        await eventually(lambda: _created(bootstrap_servers, new))
        async with admin_client(bootstrap_servers) as client:
            await eventually(lambda: _partitions_with_leader(client, topic))
    return topic


async def _created(bootstrap_servers: str, new: NewTopic) -> bool:
    """False while no broker is registered: one that was frozen for too long, or killed, has to do so anew."""
    async with admin_client(bootstrap_servers) as client:
        try:
            if not (await client.describe_cluster())["brokers"]:
                return False
        except NodeNotReadyError:  # what it met at its start stays with this client
            return False
        response = await client.create_topics([new])
    if "brokers are currently fenced" in str(response):
        return False
    assert [error[1] for error in response.topic_errors] == [0], response
    return True


async def partitions_of(bootstrap_servers: str, topic: str, *, deadline: float = DEADLINE) -> list[int]:
    """
    The partitions of a topic, once it exists and each has a leader.

    Raises:
        TimeoutError: `deadline` (seconds) passed.
    """
    async with admin_client(bootstrap_servers) as client:
        return await eventually(lambda: _partitions_with_leader(client, topic), deadline=deadline)


async def leader_of(bootstrap_servers: str, topic: str, partition: int = 0) -> int:
    """The id of the broker that leads this partition, as one of the brokers knows; -1 for none."""
    async with admin_client(bootstrap_servers) as client:
        (described,) = await client.describe_topics([topic])
    leaders = {answer["partition"]: int(answer["leader"]) for answer in described["partitions"]}
    return leaders[partition]


async def _partitions_with_leader(client: AIOKafkaAdminClient, topic: str) -> list[int]:
    """Every partition of the topic; none while one of them lacks a leader, or no broker is known."""
    try:
        (described,) = await client.describe_topics([topic])
    except NodeNotReadyError:
        return []
    partitions = described["partitions"]
    if any(partition["leader"] < 0 for partition in partitions):
        return []
    return sorted(int(partition["partition"]) for partition in partitions)
