"""What Apache Kafka refuses for its content: the bad rows are found, and nobody else suffers."""

import time
from collections.abc import Callable

import pytest

from connector.kafka import ContentRefused
from connector.publish import PublishSettings
from connector.records.record import SourceRecord
from tests.brokers.admin import create_topic
from tests.brokers.cluster import KafkaCluster
from tests.brokers.reader import Record, read_all
from tests.integration.publish.publishing import CREATE, EXISTING, Running, numbered, publishing, until

SMALL = {"max.message.bytes": "200000"}
HOUR_MS = 3_600_000
KNOWN = pytest.mark.parametrize("settings", [CREATE, EXISTING], ids=["known", "unknown"])


async def read_back(kafka: KafkaCluster, topic: str) -> list[Record]:
    return await read_all(kafka.bootstrap_servers, topic)


def reasons(running: Running) -> list[str]:
    return [error.reason for error in running.failed if isinstance(error, ContentRefused)]


@KNOWN
async def test_rows_that_are_too_large_only_together(
    kafka: KafkaCluster, topic_name: Callable[[], str], settings: PublishSettings
) -> None:
    topic = await create_topic(kafka.bootstrap_servers, topic_name(), config=SMALL)
    async with publishing(kafka.bootstrap_servers, settings) as running:
        await running.deliver(topic, numbered(range(890), size=1000))
        refused = len(running.refused)
        assert refused == 0 if settings is CREATE else refused > 0
        await running.deliver(topic, numbered(range(890, 1780), size=1000))
        assert len(running.refused) == refused  # learned
        assert running.failed == []
    records = await read_back(kafka, topic)
    assert [record.value for record in records] == [b"%01000d" % number for number in range(1780)]


@KNOWN
async def test_one_row_too_large_among_a_thousand(
    kafka: KafkaCluster, topic_name: Callable[[], str], settings: PublishSettings
) -> None:
    topic = await create_topic(kafka.bootstrap_servers, topic_name(), config=SMALL)
    rows: list[SourceRecord] = numbered(range(999), size=100)
    rows.insert(500, (b"k", b"x" * 200_000, None, []))
    async with publishing(kafka.bootstrap_servers, settings) as running:
        submission = await running.deliver(topic, rows)
        assert len(submission.errors) == 1
        assert reasons(running) == ["too_large"]
        assert len(running.refused) == running.rebuilt <= 25
    records = await read_back(kafka, topic)
    assert [record.value for record in records] == [b"%0100d" % number for number in range(999)]


@pytest.mark.parametrize("limit_ms", [None, HOUR_MS // 2], ids=["default", "lower"])
@KNOWN
async def test_rows_two_hours_ahead_get_the_present_time(
    kafka: KafkaCluster, topic_name: Callable[[], str], settings: PublishSettings, limit_ms: int | None
) -> None:
    config = {"message.timestamp.after.max.ms": str(limit_ms)} if limit_ms else {}
    topic = await create_topic(kafka.bootstrap_servers, topic_name(), config=config)
    now = round(time.time() * 1000)
    ahead = now + HOUR_MS * 2 if limit_ms is None else now + HOUR_MS * 3 // 4
    rows: list[SourceRecord] = numbered(range(100))
    rows[33] = (b"k", b"%08d" % 33, ahead, [("a", b"b")])
    rows[77] = (b"k", b"%08d" % 77, ahead + 1, [])
    async with publishing(kafka.bootstrap_servers, settings) as running:
        await running.deliver(topic, rows, now_ms=now)
        await running.deliver(topic, numbered([100]), now_ms=now)
        assert running.failed == []
        assert running.times_replaced == 2
        assert bool(running.refused) == (limit_ms is not None and settings is EXISTING)
    records = await read_back(kafka, topic)
    assert [record.value for record in records] == [b"%08d" % number for number in range(101)]
    assert [list(records[number].headers) for number in (32, 33, 77)] == [
        [],
        [("a", b"b"), ("event_time", b"%d" % ahead)],
        [("event_time", b"%d" % (ahead + 1))],
    ]
    assert all(now <= record.timestamp_ms < now + 60_000 for record in records)


@KNOWN
async def test_a_compacted_topic_refuses_rows_without_keys_and_takes_the_others(
    kafka: KafkaCluster, topic_name: Callable[[], str], settings: PublishSettings
) -> None:
    topic = await create_topic(kafka.bootstrap_servers, topic_name(), config={"cleanup.policy": "compact"})
    keyed: list[SourceRecord] = [(b"%d" % number, b"%08d" % number, None, []) for number in range(40)]
    rows: list[SourceRecord] = [*keyed[:20], *numbered(range(100, 120), key=None), *keyed[20:]]
    async with publishing(kafka.bootstrap_servers, settings) as running:
        submission = await running.deliver(topic, rows)
        assert reasons(running) == ["invalid"] * 20
        assert len(submission.errors) == 20
        assert "a compacted topic wants keys" in str(submission.errors[0])
        assert len(running.refused) <= 40
    records = await read_back(kafka, topic)
    assert [record.value for record in records] == [b"%08d" % number for number in range(40)]


async def test_a_refusal_doubles_no_row_of_other_partitions(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    small = await create_topic(kafka.bootstrap_servers, topic_name(), config=SMALL)
    busy = await create_topic(kafka.bootstrap_servers, topic_name(), partitions=4)
    async with publishing(kafka.bootstrap_servers, EXISTING) as running:
        await running.deliver(busy, numbered([0], key=None))
        for number in range(1, 5000):
            if number % 500 == 0:
                await running.add(small, [*numbered([number]), (b"k", b"x" * 210_000, None, [])])
            await running.add(busy, numbered([number], key=None))
            if number % 50 == 0:
                await until(lambda: running.publisher.held < 1000)
        await running.all_settled()
        assert running.rebuilt >= 9
    values = sorted(record.value or b"" for record in await read_back(kafka, busy))
    assert values == [b"%08d" % number for number in range(5000)]
    assert len(await read_back(kafka, small)) == 9
