"""The topic of offsets on Apache Kafka: made, checked, read and written to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import pytest
from structlog.testing import capture_logs

from connector.errors import ConnectorError
from connector.kafka import KafkaSettings, NotAllowed, TopicMissing, topic_configs
from connector.publish.offsets import OffsetRecord, OffsetsRefused, OffsetsTopic, OpenRange
from connector.publish.offsets.record import encode_key
from tests.brokers.admin import create_topic, partitions_of
from tests.brokers.cluster import KafkaCluster
from tests.brokers.secured import SecuredKafka
from tests.integration.kafka.producing import idempotent_producer
from tests.integration.kafka.securing import PASSWORD, over_scram

COMPACT = {"cleanup.policy": "compact"}
RECORD = OffsetRecord(covered_until=1_700_000_000_000, open=(OpenRange(since=5, reason="closed"),))


def settings(cluster: KafkaCluster) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=cluster.bootstrap_servers, client_id="test", request_timeout=10.0)


@asynccontextmanager
async def opened(
    kafka: KafkaSettings, connector: str, *, tasks: int = 1, creates: bool = True
) -> AsyncIterator[OffsetsTopic]:
    topic = OffsetsTopic(kafka, connector=connector, tasks=tasks, replication_factor=-1 if creates else None)
    async with topic:
        yield topic


async def test_it_is_created_compacted_with_a_partition_for_each_task_and_read_back(
    cluster: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    name, kafka = topic_name(), settings(cluster)
    async with opened(kafka, name, tasks=3) as topic:
        assert (await topic.read(2)).offsets == {}
        assert await partitions_of(cluster.bootstrap_servers, f"{name}.offsets") == [0, 1, 2]
        config = (await topic_configs(kafka, [topic.name]))[topic.name]
        assert config["cleanup.policy"] == "compact"
        await topic.write(2, {"s": OffsetRecord(covered_until=1), "t": OffsetRecord(covered_until=2)})
        await topic.write(2, {"s": RECORD, "t": None})
        await topic.write(0, {"u": RECORD})
    async with opened(kafka, name, tasks=3, creates=False) as again:
        found = await again.read(2)
        assert {one: stored.record for one, stored in found.offsets.items()} == {"s": RECORD}
        assert found.offsets["s"].partition == 2
        assert set((await again.read()).offsets) == {"s", "u"}
        assert (await again.read(1)).offsets == {}


@pytest.mark.parametrize("policy", ["delete", "compact,delete"])
@pytest.mark.parametrize("creates", [True, False])
async def test_a_topic_that_deletes_is_refused(
    kafka: KafkaCluster, topic_name: Callable[[], str], policy: str, creates: bool
) -> None:
    name = topic_name()
    config = {"cleanup.policy": policy}
    await create_topic(kafka.bootstrap_servers, f"{name}.offsets", config=config)
    async with opened(settings(kafka), name, creates=creates) as topic:
        with pytest.raises(OffsetsRefused, match=f"cleanup.policy={policy}"):
            await topic.read(0)


@pytest.mark.parametrize("tasks", [1, 3])
async def test_another_number_of_partitions_is_refused(
    kafka: KafkaCluster, topic_name: Callable[[], str], tasks: int
) -> None:
    name = topic_name()
    await create_topic(kafka.bootstrap_servers, f"{name}.offsets", partitions=2, config=COMPACT)
    async with opened(settings(kafka), name, tasks=tasks) as topic:
        for number in range(tasks):
            with pytest.raises(OffsetsRefused, match=f"has 2 partitions, and tasks is {tasks}"):
                await topic.read(number)


async def test_where_it_is_not_created_its_want_is_said(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    name = topic_name()
    async with opened(settings(kafka), name, creates=False) as topic:
        with pytest.raises(TopicMissing, match=f"{name}.offsets"):
            await topic.read(0)
        await create_topic(kafka.bootstrap_servers, topic.name, config=COMPACT)
        assert (await topic.read(0)).offsets == {}


async def test_rubbish_and_others_are_passed_over_and_a_newer_format_is_not(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    name = topic_name()
    async with opened(settings(kafka), name) as topic:
        await topic.read(0)
        await topic.write(0, {"s": RECORD})
        async with idempotent_producer(kafka.bootstrap_servers) as producer:
            await producer.send_and_wait(topic.name, b"rubbish", key=b"rubbish", partition=0)
            await producer.send_and_wait(topic.name, b"{}", key=encode_key("other", "s"), partition=0)
            with capture_logs() as lines:
                assert {one: stored.record for one, stored in (await topic.read(0)).offsets.items()} == {
                    "s": RECORD
                }
            (line,) = [one for one in lines if one["log_level"] == "warning"]
            assert (line["of_other_connectors"], line["unreadable"]) == (1, 1)
            newer = b'{"version": 2}'
            await producer.send_and_wait(topic.name, newer, key=encode_key(name, "s"), partition=0)
        with pytest.raises(OffsetsRefused, match="format 2"):
            await topic.read(0)


async def test_rights_are_named_and_a_write_that_is_refused_once_is_tried_with_another_producer(
    secured: SecuredKafka, topic_name: Callable[[], str]
) -> None:
    user, name = topic_name()[-40:], topic_name()
    secured.set_password(user, PASSWORD)
    await create_topic(secured.cluster.bootstrap_servers, f"{name}.offsets", config=COMPACT)
    async with opened(over_scram(secured, user), name) as topic:
        with pytest.raises(NotAllowed, match=f"{name}.offsets"):
            await topic.read(0)
        secured.allow(user, "READ", topic=topic.name)
        assert (await topic.read(0)).offsets == {}
        with pytest.raises(NotAllowed):
            await topic.write(0, {"s": RECORD})
        secured.allow(user, "WRITE", topic=topic.name)
        await topic.write(0, {"s": RECORD})
        assert set((await topic.read(0)).offsets) == {"s"}


async def test_brokers_that_stand_still_end_a_write_in_time_and_the_next_one_works(
    alone: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    async with opened(settings(alone), topic_name()) as topic:
        await topic.read(0)
        await topic.write(0, {"s": OffsetRecord(covered_until=1)})
        alone.brokers[0].freeze()
        try:
            with pytest.raises(ConnectorError), anyio.fail_after(30):
                await topic.write(0, {"s": OffsetRecord(covered_until=2)})
        finally:
            alone.brokers[0].thaw()
        with anyio.fail_after(60):
            while True:
                try:
                    await topic.write(0, {"s": RECORD})
                    assert (await topic.read(0)).offsets["s"].record == RECORD
                    break
                except ConnectorError:  # brokers that wake up turn connections away
                    await anyio.sleep(0.5)
