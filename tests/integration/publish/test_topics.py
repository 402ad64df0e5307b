"""Topics that go, grow, or may not be written to."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import anyio
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import TopicAuthorizationFailedError
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest
from anyio.to_thread import run_sync

from connector.kafka import NewTopics
from connector.publish import PublishSettings
from tests.brokers.admin import admin_client, create_topic
from tests.brokers.cluster import KafkaCluster
from tests.brokers.fixtures import StartKafka
from tests.brokers.reader import Record, end_offsets, read_all
from tests.brokers.waiting import eventually
from tests.integration.publish.publishing import (
    CREATE,
    DEADLINE,
    EXISTING,
    IMPATIENT,
    Running,
    numbered,
    publishing,
    until,
)

ACLS = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}
ALL, WRITE = 2, 4
DENY, ALLOW = 2, 3
"""Operations and permissions of ACLs (Kafka protocol guide)."""


async def delete(kafka: KafkaCluster, topic: str) -> None:
    async with admin_client(kafka.bootstrap_servers) as admin:
        await admin.delete_topics([topic])

        async def is_gone() -> bool:
            return topic not in await admin.list_topics()

        await eventually(is_gone)


def acl(topic: str, operation: int, permission: int) -> tuple[int, str, int, str, str, int, int]:
    """Of a topic, by its literal name, for everybody everywhere."""
    return 2, topic, 3, "User:*", "*", operation, permission


def numbers(records: Sequence[Record]) -> set[int]:
    return {int(record.value or b"") for record in records}


async def test_a_topic_deleted_while_rows_flow_is_created_again(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic, other = topic_name(), topic_name()
    settings = PublishSettings(create=NewTopics(partitions=2))
    async with publishing(kafka.bootstrap_servers, settings, IMPATIENT) as running:
        await running.deliver(topic, numbered(range(100), key=None))
        await delete(kafka, topic)
        await running.add(topic, numbered(range(100, 200), key=None))
        await running.deliver(other, numbered(range(10)))
        await running.all_settled()
        assert (running.failed, running.publisher.held) == ([], 0)
    assert numbers(await read_all(kafka.bootstrap_servers, topic)) == set(range(100, 200))


async def test_a_deleted_topic_holds_up_nobody_and_may_come_back_with_fewer_partitions(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic, other = topic_name(), topic_name()
    await create_topic(kafka.bootstrap_servers, topic, partitions=4)
    await create_topic(kafka.bootstrap_servers, other)
    async with publishing(kafka.bootstrap_servers, EXISTING, IMPATIENT) as running:
        await running.deliver(topic, numbered(range(100), key=None))
        await delete(kafka, topic)
        await running.add(topic, numbered(range(100, 200), key=None))
        await until(lambda: "does not exist" in running.publisher.topic(topic).explain())
        aside = Running.beside(running)
        for number in range(100):
            await aside.deliver(other, numbered([number]))
        await create_topic(kafka.bootstrap_servers, topic, partitions=2)
        await running.all_settled()
        assert len(running.publisher.topic(topic).senders) == 2
        await running.deliver(topic, numbered(range(200, 210), key=None))
    assert numbers(await read_all(kafka.bootstrap_servers, topic)) == set(range(100, 210))
    assert await end_offsets(kafka.bootstrap_servers, other) == {0: 100}


async def until_denied(bootstrap_servers: str, topic: str) -> None:
    """Brokers hear of a rule some time after it was made; what they take until then is row 0 again."""
    ((_, row, _, _),) = numbered([0])
    async with AIOKafkaProducer(bootstrap_servers=bootstrap_servers) as producer:
        with anyio.fail_after(DEADLINE), suppress(TopicAuthorizationFailedError):
            while True:
                await producer.send_and_wait(topic, bytes(row))


async def test_a_topic_that_may_not_be_written_to_is_retried_and_holds_up_nobody(
    start_kafka: StartKafka, topic_name: Callable[[], str]
) -> None:
    kafka = await run_sync(lambda: start_kafka(config=ACLS))
    denied = await create_topic(kafka.bootstrap_servers, topic_name())
    free = await create_topic(kafka.bootstrap_servers, topic_name())
    async with admin_client(kafka.bootstrap_servers) as admin:
        await admin._send_to_controller(CreateAclsRequest(*acl(denied, ALL, ALLOW)))
        async with publishing(kafka.bootstrap_servers, CREATE) as running:
            with anyio.fail_after(DEADLINE):
                await running.publisher.topic(denied).ready.wait()
            await admin._send_to_controller(CreateAclsRequest(*acl(denied, WRITE, DENY)))
            await until_denied(kafka.bootstrap_servers, denied)
            await running.add(denied, numbered(range(10)))
            await until(lambda: running.rebuilt > 1)
            aside = Running.beside(running)
            for number in range(20):
                await aside.deliver(free, numbered([number]))
            assert (running.settled, running.failed) == ([], [])
            await admin._send_to_controller(DeleteAclsRequest(*acl(denied, WRITE, DENY)))
            await running.all_settled()
    assert numbers(await read_all(kafka.bootstrap_servers, denied)) == set(range(10))
    assert await end_offsets(kafka.bootstrap_servers, free) == {0: 20}


@pytest.mark.parametrize("settings", [CREATE, EXISTING], ids=["create", "existing"])
async def test_a_topic_that_may_not_be_written_to_is_not_ready_and_says_so(
    start_kafka: StartKafka, topic_name: Callable[[], str], settings: PublishSettings
) -> None:
    kafka = await run_sync(lambda: start_kafka(config=ACLS))
    denied = await create_topic(kafka.bootstrap_servers, topic_name())
    async with admin_client(kafka.bootstrap_servers) as admin:
        await admin._send_to_controller(CreateAclsRequest(*acl(denied, ALL, ALLOW)))
        await admin._send_to_controller(CreateAclsRequest(*acl(denied, WRITE, DENY)))
        async with publishing(kafka.bootstrap_servers, settings) as running:
            topic = running.publisher.topic(denied, awaited=True)
            await until(lambda: f"not allow to write to topic {denied}" in topic.explain())
            assert not topic.ready.is_set()
            await admin._send_to_controller(DeleteAclsRequest(*acl(denied, WRITE, DENY)))
            await running.deliver(denied, numbered([1]))
            assert running.rebuilt == 0


async def test_a_topic_that_may_not_be_seen_becomes_ready_once_it_may(
    start_kafka: StartKafka, topic_name: Callable[[], str]
) -> None:
    kafka = await run_sync(lambda: start_kafka(config=ACLS))
    hidden = await create_topic(kafka.bootstrap_servers, topic_name())
    async with admin_client(kafka.bootstrap_servers) as admin:
        await admin._send_to_controller(CreateAclsRequest(*acl(hidden, ALL, DENY)))
        async with publishing(kafka.bootstrap_servers, EXISTING) as running:
            topic = running.publisher.topic(hidden)
            await until(lambda: f"not allow to describe topic {hidden}" in topic.explain())
            await running.deliver(await create_topic(kafka.bootstrap_servers, topic_name()), numbered([1]))
            await admin._send_to_controller(DeleteAclsRequest(*acl(hidden, ALL, DENY)))
            await running.deliver(hidden, numbered([1]))
