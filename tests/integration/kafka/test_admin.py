"""aiokafka's admin client: topics, partitions, settings; and how it tells of errors."""

from collections.abc import Callable

import pytest
from aiokafka.admin import NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import IllegalArgumentError, InvalidPartitionsError

from tests.brokers.admin import admin_client, create_topic, partitions_of
from tests.brokers.cluster import KafkaCluster
from tests.brokers.waiting import eventually

TOPIC_ALREADY_EXISTS = 36
INVALID_REPLICATION_FACTOR = 38


async def test_the_answer_to_create_topics_holds_the_errors(
    cluster: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    old = await create_topic(cluster.bootstrap_servers, topic_name())
    greedy = NewTopic(topic_name(), 1, 9)
    async with admin_client(cluster.bootstrap_servers) as admin:
        response = await admin.create_topics([NewTopic(old, 1, 1), greedy])

    codes = {topic: code for topic, code, _message in response.topic_errors}
    assert codes == {old: TOPIC_ALREADY_EXISTS, greedy.name: INVALID_REPLICATION_FACTOR}


async def test_the_default_of_the_cluster_needs_an_empty_assignment(
    cluster: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    with pytest.raises(IllegalArgumentError):
        NewTopic("defaults", -1, -1)
    topic = NewTopic(topic_name(), -1, -1, replica_assignments={})
    async with admin_client(cluster.bootstrap_servers) as admin:
        response = await admin.create_topics([topic])
        assert [code for _topic, code, _message in response.topic_errors] == [0]
        await partitions_of(cluster.bootstrap_servers, topic.name)
        (described,) = await admin.describe_topics([topic.name])
        (partition,) = described["partitions"]

    assert sorted(partition["replicas"]) == [broker.node_id for broker in cluster.brokers]


async def test_partitions_are_added_and_a_refusal_is_raised(
    cluster: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await create_topic(cluster.bootstrap_servers, topic_name(), partitions=2)
    async with admin_client(cluster.bootstrap_servers) as admin:
        await admin.create_partitions({topic: NewPartitions(5)})

        async def has_five() -> bool:
            return await partitions_of(cluster.bootstrap_servers, topic) == [0, 1, 2, 3, 4]

        await eventually(has_five)
        with pytest.raises(InvalidPartitionsError):
            await admin.create_partitions({topic: NewPartitions(1)})


async def test_settings_of_a_topic_are_described(
    cluster: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    given = {"max.message.bytes": "200000", "cleanup.policy": "compact"}
    topic = await create_topic(cluster.bootstrap_servers, topic_name(), config=given)
    async with admin_client(cluster.bootstrap_servers) as admin:

        async def described() -> dict[str, str]:
            (response,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
            ((code, _message, kind, name, entries),) = response.resources
            assert (kind, name) == (ConfigResourceType.TOPIC, topic)
            found = {entry[0]: entry[1] for entry in entries}
            # Any broker is asked, also one that has not heard yet.
            return found if code == 0 and found.items() >= given.items() else {}

        found = await eventually(described)
    assert found["min.insync.replicas"] == str(min(2, len(cluster.brokers)))


async def test_the_brokers_are_described(cluster: KafkaCluster) -> None:
    async with admin_client(cluster.bootstrap_servers) as admin:
        described = await admin.describe_cluster()

    brokers = {broker["node_id"]: f"{broker['host']}:{broker['port']}" for broker in described["brokers"]}
    assert brokers == {broker.node_id: broker.address for broker in cluster.brokers}
    assert described["controller_id"] in brokers


async def test_a_topic_that_is_not_there_is_an_error_code_in_the_answer(
    cluster: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = topic_name()
    async with admin_client(cluster.bootstrap_servers) as admin:
        (described,) = await admin.describe_topics([topic])
        assert (described["error_code"], described["partitions"]) == (3, [])
        assert topic not in await admin.list_topics()  # asking did not create it
