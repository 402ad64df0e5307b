"""Brokers that create topics that are asked for, as Kafka does by default."""

from __future__ import annotations

from collections.abc import Callable

from anyio.to_thread import run_sync

from connector.kafka import NewTopics
from connector.publish import PublishSettings
from tests.brokers.admin import admin_client, create_topic
from tests.brokers.cluster import KafkaCluster
from tests.brokers.fixtures import StartKafka
from tests.brokers.waiting import eventually
from tests.integration.publish.publishing import EXISTING, IMPATIENT, numbered, publishing, until

CREATING = {"auto.create.topics.enable": "true"}


async def topics_of(kafka: KafkaCluster) -> dict[str, int]:
    """The topics that there are, and their partitions."""
    async with admin_client(kafka.bootstrap_servers) as admin:
        names = list(await admin.list_topics())
        described = await admin.describe_topics(names) if names else []
    return {topic["topic"]: len(topic["partitions"]) for topic in described}


async def test_only_the_configuration_creates_topics(
    start_kafka: StartKafka, topic_name: Callable[[], str]
) -> None:
    kafka = await run_sync(lambda: start_kafka(config=CREATING))
    missing, ours = topic_name(), topic_name()
    async with publishing(kafka.bootstrap_servers, EXISTING, IMPATIENT) as running:
        topic = running.publisher.topic(missing)
        await until(lambda: "does not exist" in topic.explain())
        assert missing not in await topics_of(kafka)
        await create_topic(kafka.bootstrap_servers, missing, partitions=2)
        await running.deliver(missing, numbered([1]))

    settings = PublishSettings(create=NewTopics(partitions=3, replication_factor=1))
    async with publishing(kafka.bootstrap_servers, settings, IMPATIENT) as running:
        await running.deliver(ours, numbered(range(9), key=None))
        async with admin_client(kafka.bootstrap_servers) as admin:
            await admin.delete_topics([ours])

            async def is_gone() -> bool:
                return ours not in await admin.list_topics()

            await eventually(is_gone)
        await running.deliver(ours, numbered(range(9), key=None))
    assert (await topics_of(kafka))[ours] == 3
