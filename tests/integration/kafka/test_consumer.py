"""A topic is read to its end, once: committed records only, and in time whatever the brokers do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import anyio
import pytest

from connector.kafka import (
    BrokerUnreachable,
    KafkaSettings,
    NotAllowed,
    Producer,
    StoredRecord,
    TopicMissing,
    read_topic,
    write_keyed,
)
from tests.brokers.admin import create_topic
from tests.brokers.cluster import KafkaCluster
from tests.brokers.secured import SecuredKafka
from tests.brokers.waiting import eventually
from tests.integration.kafka.producing import transactional_producer
from tests.integration.kafka.securing import PASSWORD, over_scram


def settings(cluster: KafkaCluster) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=cluster.bootstrap_servers, client_id="test", request_timeout=10.0)


async def write(kafka: KafkaSettings, topic: str, partition: int, values: dict[bytes, bytes | None]) -> None:
    producer = await Producer.start(kafka)
    try:
        await write_keyed(producer, topic, partition, values)
    finally:
        await producer.stop(timeout=5.0)


async def nothing_left(before: set[asyncio.Task[object]]) -> None:
    """Every task that came since has ended, or is about to."""

    async def has_ended() -> bool:
        return asyncio.all_tasks() <= before

    await eventually(has_ended, deadline=3.0)


async def test_keyed_values_and_tombstones_are_read_back(
    cluster: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await create_topic(cluster.bootstrap_servers, topic_name(), partitions=2)
    kafka = settings(cluster)
    await write(kafka, topic, 0, {b"a": b"1", b"b": b"2"})
    await write(kafka, topic, 0, {b"a": None, b"b": b"3"})
    await write(kafka, topic, 1, {b"c": b"4"})

    found: list[StoredRecord] = []
    told: list[tuple[int, int]] = []
    count = await read_topic(
        kafka, topic, found.append, partitions=[0], timeout=30, progress=lambda *at: told.append(at)
    )
    assert count == 2
    assert [(one.key, one.value) for one in found] == [
        (b"a", b"1"),
        (b"b", b"2"),
        (b"a", None),
        (b"b", b"3"),
    ]
    assert {one.partition for one in found} == {0}
    assert told[0] == (0, 4)
    assert told[-1] == (4, 4)

    found.clear()
    await read_topic(kafka, topic, found.append, timeout=30)
    assert sorted(one.value or b"" for one in found) == [b"", b"1", b"2", b"3", b"4"]


async def test_many_batches_are_read_to_the_last(
    cluster: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await create_topic(cluster.bootstrap_servers, topic_name())
    kafka = settings(cluster)
    values = {b"%05d" % number: b"x" * 500 for number in range(5000)}
    await write(kafka, topic, 0, dict(values))
    keys: list[bytes | None] = []
    await read_topic(kafka, topic, lambda one: keys.append(one.key), timeout=30)
    assert keys == list(values)


async def test_aborted_records_are_left_out_and_a_marker_at_the_end_is_passed(
    cluster: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await create_topic(cluster.bootstrap_servers, topic_name())
    async with transactional_producer(cluster.bootstrap_servers, topic_name()) as producer:
        async with producer.transaction():
            await producer.send_and_wait(topic, b"committed")
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"aborted")
        await producer.abort_transaction()
    found: list[StoredRecord] = []
    with anyio.fail_after(20):
        await read_topic(settings(cluster), topic, found.append, timeout=15)
    assert [one.value for one in found] == [b"committed"]


async def test_an_empty_topic_has_nothing(cluster: KafkaCluster, topic_name: Callable[[], str]) -> None:
    topic = await create_topic(cluster.bootstrap_servers, topic_name(), partitions=3)
    found: list[StoredRecord] = []
    assert await read_topic(settings(cluster), topic, found.append, timeout=15) == 3
    assert found == []


async def test_a_topic_that_is_not_there_is_said_at_once(
    cluster: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await create_topic(cluster.bootstrap_servers, topic_name())
    with anyio.fail_after(5):
        with pytest.raises(TopicMissing):
            await read_topic(settings(cluster), topic_name(), lambda one: None, timeout=30)
        with pytest.raises(TopicMissing):
            await read_topic(settings(cluster), topic, lambda one: None, partitions=[1], timeout=30)


async def test_brokers_that_stand_still_end_it_in_time_and_leave_nothing(
    alone: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await create_topic(alone.bootstrap_servers, topic_name())
    before = asyncio.all_tasks()
    alone.brokers[0].freeze()
    try:
        with pytest.raises(BrokerUnreachable), anyio.fail_after(8):
            await read_topic(settings(alone), topic, lambda one: None, timeout=2)
    finally:
        alone.brokers[0].thaw()
    await nothing_left(before)


async def test_cancelled_amid_the_reading_it_leaves_nothing(
    cluster: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await create_topic(cluster.bootstrap_servers, topic_name())
    await write(settings(cluster), topic, 0, {b"a": b"1"})
    before = asyncio.all_tasks()
    with anyio.CancelScope() as scope:
        await read_topic(
            settings(cluster), topic, lambda one: None, timeout=30, progress=lambda *at: scope.cancel()
        )
    assert scope.cancelled_caught
    await nothing_left(before)


async def test_a_right_that_is_missing_is_named(secured: SecuredKafka, topic_name: Callable[[], str]) -> None:
    user = topic_name()[-40:]
    secured.set_password(user, PASSWORD)
    topic = await create_topic(secured.cluster.bootstrap_servers, topic_name())
    await write(settings(secured.cluster), topic, 0, {b"a": b"1"})
    kafka = over_scram(secured, user)
    with pytest.raises(NotAllowed, match=topic), anyio.fail_after(15):
        await read_topic(kafka, topic, lambda one: None, timeout=30)
    secured.allow(user, "DESCRIBE", topic=topic)
    with pytest.raises(NotAllowed, match=f"to read topic {topic}"), anyio.fail_after(15):
        await read_topic(kafka, topic, lambda one: None, timeout=30)
    secured.allow(user, "READ", topic=topic)
    found: list[StoredRecord] = []
    await read_topic(kafka, topic, found.append, timeout=30)
    assert [one.value for one in found] == [b"1"]
