"""Kafka frozen, missing, refusing; and the end under load."""

import signal
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from tests.brokers.admin import create_topic
from tests.brokers.cluster import KafkaCluster
from tests.brokers.fixtures import StartKafka
from tests.e2e.connector_process import at_least
from tests.e2e.stage import open_stage
from tests.standins.feed import Feed
from tests.standins.rows import row_number

MIB = 2**20
ACKED = "connector_rows_acked_total"


async def test_a_signal_under_load_loses_nothing_received(
    kafka: KafkaCluster, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    feed = Feed("bsc", rate=None, rows_per_frame=20)
    async with (
        open_stage(kafka, tmp_path, topic_name(), feed) as stage,
        stage.start(stage.config()) as connector,
    ):
        await connector.until_metric(ACKED, lambda acked: acked > 5000)
        assert await connector.stop(signal.SIGINT) == 0
        (stopped,) = connector.logs("stopped")
        assert stopped["seconds"] < 20
        await stage.assert_exact(feed)


async def test_one_poisoned_row_fails_its_subscription_by_name_and_no_other(
    kafka: KafkaCluster, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    poisoned, sibling = Feed("bsc", rate=0, rows_per_frame=1000), Feed("eth", rate=200)
    prefix = topic_name()
    async with open_stage(kafka, tmp_path, prefix, poisoned, sibling) as stage:
        for feed in (poisoned, sibling):
            await create_topic(
                kafka.bootstrap_servers, stage.topic(feed.name), config={"max.message.bytes": "100000"}
            )
        for create in (True, False):
            before = poisoned.emitted
            async with stage.start(stage.config(topics={"create": create})) as connector:
                await connector.until_state("bsc", "live")
                await connector.until_metric(ACKED, lambda acked: acked > 0, subscription="eth")
                number = poisoned.emit(1000, row_bytes={500: 150_000})[500]
                await connector.until_state("bsc", "failed")
                _, body = await connector.readyz()
                assert "bsc" not in {n for n, s in body["subscriptions"].items() if s["state"] == "live"}
                assert body["subscriptions"]["eth"]["state"] == "live"
                assert "max.message.bytes" in body["subscriptions"]["bsc"]["last_error"]
                (line,) = connector.logs("subscription failed: a record cannot be published")
                assert line["subscription"] == "bsc"
                acked = await connector.metric(ACKED, subscription="eth")
                await connector.until_metric(ACKED, at_least(acked + 200), subscription="eth")
                assert await connector.stop() == 0
            numbers = {row_number(record.value or b"") for record in await stage.records(poisoned)}
            assert set(range(before, before + 1000)) - numbers == {number}
        await stage.assert_exact(sibling)


@pytest.mark.takes(60)
@pytest.mark.slow
async def test_kafka_frozen_for_half_a_minute_costs_nothing(
    start_kafka: StartKafka, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    kafka = await anyio.to_thread.run_sync(start_kafka)
    feed = Feed("bsc", rate=1000)
    async with (
        open_stage(kafka, tmp_path, topic_name(), feed) as stage,
        stage.start(stage.config()) as connector,
    ):
        await connector.until_metric(ACKED, lambda acked: acked > 1000)
        kafka.broker(1).freeze()
        await anyio.sleep(30)
        assert await connector.metric("connector_kafka_state", state="stalled") == 1
        assert await connector.metric("connector_sheds_total") == 0
        kafka.broker(1).thaw()
        await connector.until_metric("connector_inbox_bytes", lambda held: held < MIB)
        assert await connector.metric("connector_sessions_opened_total") == 1
        assert await connector.metric("connector_uncovered_seconds_total") == 0
        assert await connector.stop() == 0
        await stage.assert_exact(feed, doubled=True)


@pytest.mark.takes(40)
@pytest.mark.slow
async def test_a_freeze_beyond_the_bound_is_declared_and_memory_stays_bounded(
    start_kafka: StartKafka, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    kafka = await anyio.to_thread.run_sync(start_kafka)
    feed = Feed("bsc", rate=3000)
    async with open_stage(kafka, tmp_path, topic_name(), feed) as stage:
        config = stage.config(
            inbox={"max_bytes": "8MiB"},
            kafka={"bootstrap_servers": kafka.bootstrap_servers, "producer": {"request_timeout": "5s"}},
        )
        async with stage.start(config) as connector:
            await connector.until_metric(ACKED, lambda acked: acked > 1000)
            before = connector.rss_bytes
            kafka.broker(1).freeze()
            await connector.until_state("bsc", "shedding")
            await connector.until_metric("connector_uncovered_seconds_total", lambda seconds: seconds > 3)
            assert await connector.metric("connector_inbox_bytes") <= 8 * MIB
            assert connector.rss_bytes < before + 30 * MIB
            kafka.broker(1).thaw()
            await connector.until_state("bsc", "live")
            await connector.until_metric("connector_gaps_total", lambda gaps: gaps == 1, outcome="unfilled")
            (gap,) = connector.logs("gap declared")
            assert gap["reason"] == "shed"
            assert gap["seconds"] > 3
            assert connector.logs("session is shed: kafka takes less than the upstream sends")
            assert await connector.stop() == 0
        await stage.assert_exact(feed, doubled=True)
        assert feed.ledger.while_away > 1000


async def test_no_socket_opens_before_the_brokers_answered(
    start_kafka: StartKafka, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    kafka = await anyio.to_thread.run_sync(start_kafka)
    feed = Feed("bsc", rate=200)
    kafka.broker(1).kill()
    async with (
        open_stage(kafka, tmp_path, topic_name(), feed) as stage,
        stage.start(stage.config()) as connector,
    ):
        await connector.until(
            lambda: len(connector.logs("kafka cannot be reached")) >= 3, what="three attempts to reach kafka"
        )
        status, body = await connector.readyz()
        assert (status, body["ready"], body["kafka"]["state"]) == (503, False, "connecting")
        assert not stage.upstream.attempts
        await anyio.to_thread.run_sync(kafka.broker(1).restart)
        await connector.until_metric(ACKED, lambda acked: acked > 100)
        assert (await connector.readyz())[0] == 200
        assert await connector.stop() == 0
        await stage.assert_exact(feed)


async def test_a_missing_topic_is_named_and_found_once_it_is_there(
    kafka: KafkaCluster, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    feed = Feed("bsc", rate=200)
    async with open_stage(kafka, tmp_path, topic_name(), feed) as stage:
        async with stage.start(stage.config(topics={"create": False})) as connector:
            topic = stage.topic("bsc")
            await connector.until(lambda: connector.logs("topic is not ready"), what="word of the topic")
            assert topic in connector.logs("topic is not ready")[0]["error"]
            assert not stage.upstream.attempts
            await create_topic(kafka.bootstrap_servers, topic, partitions=3)
            await connector.until_metric(ACKED, lambda acked: acked > 100)
            assert await connector.stop() == 0
        await stage.assert_exact(feed)
