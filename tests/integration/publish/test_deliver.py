"""Rows arrive as they were: bytes, keys, partitions, times, headers, in every codec."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from msgspec import Raw

from connector.kafka import Compression, NewTopics
from connector.publish import PublishSettings
from connector.records.record import SourceRecord
from tests.brokers.admin import create_topic
from tests.brokers.cluster import KafkaCluster
from tests.brokers.java_producer import java_partitions
from tests.brokers.reader import end_offsets, read_all
from tests.integration.publish.publishing import CREATE, EXISTING, KAFKA, NOW_MS, numbered, publishing, until

ROWS = 20_000


def row_number(number: int) -> SourceRecord:
    """Every tenth row has no key, every third is a slice as extract makes it, some have a time or headers."""
    key = None if number % 10 == 0 else f"ключ-{number % 1000}".encode()
    text = b'{"n":%d,"s":"\xf0\x9f\x94\x91"}' % number
    moment = NOW_MS - number if number % 2 else None
    headers = [("n", b"%d" % number), ("empty", b"")] if number % 5 == 0 else []
    return key, Raw(text) if number % 3 == 0 else text, moment, headers


async def test_twenty_thousand_rows_over_four_partitions(
    cluster: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = topic_name()
    settings = PublishSettings(create=NewTopics(partitions=4))
    rows = [row_number(number) for number in range(ROWS)]
    async with publishing(cluster.bootstrap_servers, settings) as running:
        for start in range(0, ROWS, 500):
            await running.add(topic, rows[start : start + 500])
        await running.all_settled()
        assert (running.rebuilt, running.failed, running.times_replaced) == (0, [], 0)
        assert running.states == ["connecting", "up"]
        assert len(running.settled) == ROWS / 500

    records = await read_all(cluster.bootstrap_servers, topic, until=ROWS)
    assert len(records) == ROWS
    written = {record.value: record for record in records}
    assert len(written) == ROWS
    for key, value, moment, headers in rows:
        record = written[bytes(value)]
        assert (record.key, record.timestamp_ms) == (key, moment or NOW_MS)
        assert list(record.headers) == headers
    for partition in range(4):
        numbers = [
            int((record.value or b"")[5:].split(b",")[0])
            for record in records
            if record.partition == partition
        ]
        assert numbers == sorted(numbers)
        assert len(numbers) > ROWS / 8

    keys = sorted({record.key for record in records if record.key is not None})[:300]
    ours = {record.key: record.partition for record in records}
    assert [ours[key] for key in keys] == await java_partitions(cluster, topic, keys)


@pytest.mark.parametrize("compression", [None, "gzip", "snappy", "lz4", "zstd"])
async def test_every_codec(
    kafka: KafkaCluster, topic_name: Callable[[], str], compression: Compression | None
) -> None:
    topic = topic_name()
    async with publishing(kafka.bootstrap_servers, kafka=replace(KAFKA, compression=compression)) as running:
        await running.deliver(topic, numbered(range(2000), size=500))
    records = await read_all(kafka.bootstrap_servers, topic)
    assert [record.value for record in records] == [b"%0500d" % number for number in range(2000)]


async def test_topics_are_created_with_the_defaults_of_the_brokers_and_settings(
    cluster: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = topic_name()
    settings = PublishSettings(create=NewTopics(config={"max.message.bytes": "5000"}))
    async with publishing(cluster.bootstrap_servers, settings) as running:
        await running.deliver(topic, numbered(range(100), size=100))
        assert len(running.publisher.topic(topic).senders) == 1
        submission = await running.deliver(topic, [*numbered([100]), (b"k", b"x" * 5000, None, [])])
        assert [getattr(error, "reason", "") for error in submission.errors] == ["too_large"]
        assert running.refused == []  # known beforehand
    assert await end_offsets(cluster.bootstrap_servers, topic) == {0: 101}


@pytest.mark.parametrize("settings", [CREATE, EXISTING], ids=["create", "existing"])
async def test_a_topic_that_is_there_is_used_as_it_is(
    kafka: KafkaCluster, topic_name: Callable[[], str], settings: PublishSettings
) -> None:
    topic = await create_topic(kafka.bootstrap_servers, topic_name(), partitions=3)
    async with publishing(kafka.bootstrap_servers, settings) as running:
        await running.deliver(topic, numbered(range(9), key=None))
        assert len(running.publisher.topic(topic).senders) == 3
    assert await end_offsets(kafka.bootstrap_servers, topic) == {0: 3, 1: 3, 2: 3}


async def test_topics_that_cannot_be_created_do_not_hold_up_others(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    async with publishing(kafka.bootstrap_servers) as running:
        bad = running.publisher.topic("no spaces, please")
        own = running.publisher.topic("none here either", awaited=True)
        await running.deliver(topic_name(), numbered(range(3)))
        assert bad.refusal is not None  # its rows are bad
        assert not own.ready.is_set()
        assert "cannot exist" in own.explain()

    greedy = PublishSettings(create=NewTopics(replication_factor=9))
    async with publishing(kafka.bootstrap_servers, greedy) as running:
        old = await create_topic(kafka.bootstrap_servers, topic_name())
        new = running.publisher.topic(topic_name())
        await running.deliver(old, numbered(range(3)))
        assert not new.ready.is_set()


async def test_without_create_a_missing_topic_is_waited_for(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    late, here = topic_name(), await create_topic(kafka.bootstrap_servers, topic_name())
    async with publishing(kafka.bootstrap_servers, EXISTING) as running:
        topic = running.publisher.topic(late)
        await running.deliver(here, numbered(range(3)))
        await until(lambda: topic.error is not None)
        assert topic.error == f"topic {late} does not exist: create it, or set topics.create to true"
        await create_topic(kafka.bootstrap_servers, late)
        await running.deliver(late, numbered(range(3)))
        assert running.rebuilt == 0
        assert topic.explain().endswith("kafka has not answered yet")  # the error is forgotten
