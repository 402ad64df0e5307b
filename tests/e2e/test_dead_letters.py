"""Bad records, end to end: kept, skipped, too many; and trouble of Kafka is never taken for one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import anyio
import pytest
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest

from tests.brokers.admin import admin_client, create_topic
from tests.brokers.cluster import KafkaCluster
from tests.brokers.fixtures import StartKafka
from tests.brokers.reader import Record, end_offsets, read_all
from tests.e2e.connector_process import at_least
from tests.e2e.stage import Stage, open_stage
from tests.slow import first_of
from tests.standins.feed import Feed
from tests.standins.rows import row_number

ACKED = "connector_rows_acked_total"
FAILED = "connector_records_failed_total"
LETTERS = "connector_dead_letters_total"
SKIPPED = "connector_records_skipped_total"

SMALL = {"max.message.bytes": "100000"}
TINY = {"max.message.bytes": "20000"}
COMPACTED = {"cleanup.policy": "compact"}

ACLS = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}
ALL, WRITE = 2, 4
DENY, ALLOW = 2, 3
"""Operations and permissions of ACLs (Kafka protocol guide)."""


def tolerant(stage: Stage, **more: Any) -> dict[str, Any]:
    """The section ``errors``: all is tolerated, with a dead-letter topic."""
    return {"tolerance": "all", "dead_letter_topic": dead_letter_topic(stage), **more}


def dead_letter_topic(stage: Stage) -> str:
    return f"{stage.topic_prefix}.dlq"


async def letters(stage: Stage, *, at_least: int | None = None) -> list[Record]:
    return await read_all(stage.kafka.bootstrap_servers, dead_letter_topic(stage), until=at_least)


def numbers(records: Iterable[Record]) -> set[int]:
    found = {row_number(record.value or b"") for record in records}
    assert None not in found
    return {number for number in found if number is not None}


def text_headers(record: Record) -> dict[str, str]:
    return {name: content.decode() for name, content in record.headers}


@pytest.mark.parametrize("create", first_of([True, False]), ids=["create", "existing"])
async def test_one_poisoned_row_among_a_thousand_is_kept_and_the_subscription_stays_live(
    kafka: KafkaCluster, tmp_path: Path, topic_name: Callable[[], str], create: bool
) -> None:
    feed = Feed("bsc", rate=0)
    async with open_stage(kafka, tmp_path, topic_name(), feed) as stage:
        topic = await create_topic(kafka.bootstrap_servers, stage.topic("bsc"), config=SMALL)
        if not create:
            await create_topic(kafka.bootstrap_servers, dead_letter_topic(stage))
        config = stage.config(topics={"create": create}, errors=tolerant(stage))
        async with stage.start(config) as connector:
            await connector.until_state("bsc", "live")
            number = feed.emit(1000, row_bytes={500: 150_000})[500]
            await connector.until_metric(ACKED, at_least(999))
            await connector.until_metric(LETTERS, at_least(1), reason="too_large", subscription="bsc")
            assert await connector.state("bsc") == "live"
            _, body = await connector.readyz()
            assert "max.message.bytes" in body["subscriptions"]["bsc"]["last_error"]
            feed.emit(10)
            await connector.until_metric(ACKED, at_least(1009))
            assert await connector.metric(FAILED, reason="too_large") == 1
            assert await connector.metric(SKIPPED) == 0
            assert await connector.metric("connector_sessions_opened_total") == 1
            (line,) = connector.logs("records go to the dead-letter topic")
            assert (line["subscription"], line["records"], line["level"]) == ("bsc", 1, "warning")
            assert await connector.stop() == 0
        assert numbers(await stage.records(feed)) == set(range(1010)) - {number}
        (letter,) = await letters(stage)
        assert letter.value in feed.ledger.exact(number)
        assert letter.key == feed.ledger.key(number).encode()
        headers = text_headers(letter)
        assert headers.pop("received_at").isdigit()
        assert headers.pop("event_time") == str(feed.ledger.timestamp_ms(number))
        assert topic in headers.pop("__connect.errors.exception.message")
        assert headers == {
            "connector": stage.topic_prefix,
            "subscription": "bsc",
            "__connect.errors.topic": topic,
            "__connect.errors.partition": "0",
            "__connect.errors.connector.name": stage.topic_prefix,
            "__connect.errors.task.id": "0",
            "__connect.errors.stage": "KAFKA_PRODUCE",
            "__connect.errors.class.name": headers["__connect.errors.class.name"],
            "__connect.errors.exception.class.name": "connector.kafka.errors.ContentRefused",
        }


@pytest.mark.parametrize("create", first_of([True, False]), ids=["create", "existing"])
async def test_when_all_are_poisoned_the_subscription_fails_and_its_sibling_lives(
    kafka: KafkaCluster, tmp_path: Path, topic_name: Callable[[], str], create: bool
) -> None:
    poisoned, sibling = Feed("bsc", rate=0), Feed("eth", rate=200)
    async with open_stage(kafka, tmp_path, topic_name(), poisoned, sibling) as stage:
        await create_topic(kafka.bootstrap_servers, stage.topic("bsc"), config=COMPACTED)
        await create_topic(kafka.bootstrap_servers, stage.topic("eth"))
        await create_topic(kafka.bootstrap_servers, dead_letter_topic(stage), partitions=2)
        config = stage.config(topics={"create": create}, errors=tolerant(stage))
        config["subscriptions"][0].pop("key")  # which a compacted topic wants
        async with stage.start(config) as connector:
            await connector.until_state("bsc", "live")
            await connector.until_metric(ACKED, at_least(1), subscription="eth")
            for _ in range(6):
                poisoned.emit(10)
            await connector.until_state("bsc", "failed")
            _, body = await connector.readyz()
            assert "50 of the last 100 rows" in body["subscriptions"]["bsc"]["last_error"]
            assert body["subscriptions"]["eth"]["state"] == "live"
            (line,) = connector.logs("subscription failed: too many records cannot be published")
            assert line["subscription"] == "bsc"
            assert "errors.window" in line["remedy"]
            received = await connector.metric("connector_rows_received_total", subscription="bsc")
            assert await connector.metric(LETTERS, subscription="bsc", reason="invalid") == received == 60
            acked = await connector.metric(ACKED, subscription="eth")
            await connector.until_metric(ACKED, at_least(acked + 200), subscription="eth")
            assert await connector.stop() == 0
        assert numbers(await letters(stage)) == set(range(60))
        assert sum((await end_offsets(kafka.bootstrap_servers, stage.topic("bsc"))).values()) == 0
        await stage.assert_exact(sibling, doubled=True)


@pytest.mark.slow
async def test_some_bad_rows_among_many_do_not_fail_it_and_each_is_kept(
    kafka: KafkaCluster, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    feed = Feed("bsc", rate=0)
    async with open_stage(kafka, tmp_path, topic_name(), feed) as stage:
        await create_topic(kafka.bootstrap_servers, stage.topic("bsc"), config=TINY)
        async with stage.start(stage.config(errors=tolerant(stage))) as connector:
            await connector.until_state("bsc", "live")
            bad: set[int] = set()
            for _ in range(5):
                places = dict.fromkeys(range(0, 200, 4), 21_000)
                emitted = feed.emit(200, row_bytes=places)
                bad |= {emitted[place] for place in places}
            await connector.until_metric(LETTERS, at_least(len(bad)))
            assert await connector.state("bsc") == "live"
            assert await connector.stop() == 0
        assert numbers(await letters(stage)) == bad
        assert numbers(await stage.records(feed)) == set(range(1000)) - bad


@pytest.mark.slow
async def test_a_letter_is_cut_to_what_its_topic_takes_with_the_digest_of_the_whole(
    kafka: KafkaCluster, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    feed = Feed("bsc", rate=0)
    async with open_stage(kafka, tmp_path, topic_name(), feed) as stage:
        await create_topic(kafka.bootstrap_servers, stage.topic("bsc"), config=SMALL)
        await create_topic(kafka.bootstrap_servers, dead_letter_topic(stage), config=TINY)
        for create in (True, False):
            config = stage.config(topics={"create": create}, errors=tolerant(stage))
            async with stage.start(config) as connector:
                await connector.until_state("bsc", "live")
                number = feed.emit(10, row_bytes={5: 150_000})[5]
                await connector.until_metric(LETTERS, at_least(1))
                assert await connector.state("bsc") == "live"
                assert await connector.stop() == 0
            letter = (await letters(stage))[-1]
            (whole,) = feed.ledger.exact(number)
            assert letter.value is not None
            assert whole.startswith(letter.value)
            assert len(letter.value) > (18_000 if create else 5_000)
            headers = text_headers(letter)
            assert headers["original_bytes"] == str(len(whole)) == "150000"
            assert headers["original_sha256"] == hashlib.sha256(whole).hexdigest()
            assert letter.key == feed.ledger.key(number).encode()


@pytest.mark.slow
async def test_without_a_dead_letter_topic_bad_rows_are_skipped_counted_and_logged(
    kafka: KafkaCluster, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    feed = Feed("bsc", rate=0)
    async with open_stage(kafka, tmp_path, topic_name(), feed) as stage:
        await create_topic(kafka.bootstrap_servers, stage.topic("bsc"), config=SMALL)
        async with stage.start(stage.config(errors={"tolerance": "all"})) as connector:
            await connector.until_state("bsc", "live")
            numbers_ = feed.emit(100, row_bytes={3: 150_000, 50: 150_000})
            await connector.until_metric(ACKED, at_least(98))
            assert await connector.metric(SKIPPED, reason="too_large") == 2
            assert await connector.state("bsc") == "live"
            assert await connector.stop() == 0
            lines = connector.logs("records skipped")
            assert sum(line["records"] for line in lines) == 2
            (warning,) = connector.logs("configuration")
            assert "are skipped" in warning["warning"]
        assert numbers(await stage.records(feed)) == set(numbers_) - {numbers_[3], numbers_[50]}


@pytest.mark.slow
async def test_a_frozen_broker_while_bad_rows_come_confuses_nothing_and_loses_nothing(
    start_kafka: StartKafka, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    kafka = await anyio.to_thread.run_sync(start_kafka)
    feed = Feed("bsc", rate=0)
    async with open_stage(kafka, tmp_path, topic_name(), feed) as stage:
        await create_topic(kafka.bootstrap_servers, stage.topic("bsc"), config=SMALL)
        brokers = {"bootstrap_servers": kafka.bootstrap_servers, "producer": {"request_timeout": "5s"}}
        async with stage.start(stage.config(kafka=brokers, errors=tolerant(stage))) as connector:
            await connector.until_state("bsc", "live")
            feed.emit(100, row_bytes={7: 150_000})
            await connector.until_metric(LETTERS, at_least(1))
            kafka.broker(1).freeze()
            bad = {7}
            for _ in range(12):
                emitted = feed.emit(100, row_bytes={7: 150_000, 60: 150_000})
                bad |= {emitted[7], emitted[60]}
                await anyio.sleep(1)
            await connector.until_metric("connector_kafka_state", at_least(1), state="stalled")
            assert await connector.metric(LETTERS) == 1
            assert await connector.metric(FAILED) == len(bad)  # and none for Kafka's trouble
            assert await connector.state("bsc") == "live"
            kafka.broker(1).thaw()
            await connector.until_metric(LETTERS, at_least(len(bad)))
            await connector.until_metric(ACKED, at_least(1300 - len(bad)))
            assert await connector.stop() == 0
        kept, published = numbers(await letters(stage)), numbers(await stage.records(feed))
        assert kept == bad
        assert published == set(range(1300)) - bad


async def test_without_the_right_to_write_dead_letters_no_socket_opens_and_later_none_is_lost(
    start_kafka: StartKafka, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    kafka = await anyio.to_thread.run_sync(lambda: start_kafka(config=ACLS))
    feed = Feed("bsc", rate=0)
    async with (
        open_stage(kafka, tmp_path, topic_name(), feed) as stage,
        admin_client(kafka.bootstrap_servers) as admin,
    ):
        topic = dead_letter_topic(stage)
        await create_topic(kafka.bootstrap_servers, stage.topic("bsc"), config=SMALL)
        await create_topic(kafka.bootstrap_servers, topic)

        async def deny(permission: int, operation: int, *, ends: bool = False) -> None:
            kind = DeleteAclsRequest if ends else CreateAclsRequest
            await admin._send_to_controller(kind(2, topic, 3, "User:*", "*", operation, permission))

        await deny(ALLOW, ALL)
        await deny(DENY, WRITE)
        async with stage.start(stage.config(errors=tolerant(stage))) as connector:
            await connector.until(lambda: connector.logs("topic is not ready"), what="word of the topic")
            _, body = await connector.readyz()
            subscription = body["subscriptions"]["bsc"]
            assert subscription["state"] == "waiting"
            assert f"to write to topic {topic}" in subscription["last_error"]
            assert not stage.upstream.attempts
            await deny(DENY, WRITE, ends=True)
            await connector.until_state("bsc", "live")
            # Taken away while it runs: rows wait.
            await deny(DENY, WRITE)
            feed.emit(100, row_bytes={7: 150_000})
            await connector.until_metric(ACKED, lambda acked: acked == 0)
            await connector.until(lambda: connector.logs("kafka refused a batch"), what="the refusal")
            assert await connector.metric(FAILED) == 1
            assert await connector.metric(LETTERS) == 0
            assert await connector.state("bsc") == "live"
            await deny(DENY, WRITE, ends=True)
            await connector.until_metric(LETTERS, at_least(1))
            await connector.until_metric(ACKED, at_least(99))
            assert await connector.stop() == 0
        assert numbers(await letters(stage)) == {7}
        assert numbers(await stage.records(feed)) == set(range(100)) - {7}


@pytest.mark.slow
async def test_a_missing_dead_letter_topic_is_named_and_no_socket_opens_before_it_is_there(
    kafka: KafkaCluster, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    feed = Feed("bsc", rate=200)
    async with open_stage(kafka, tmp_path, topic_name(), feed) as stage:
        await create_topic(kafka.bootstrap_servers, stage.topic("bsc"))
        config = stage.config(topics={"create": False}, errors=tolerant(stage))
        async with stage.start(config) as connector:
            topic = dead_letter_topic(stage)
            await connector.until(lambda: connector.logs("topic is not ready"), what="word of the topic")
            _, body = await connector.readyz()
            assert f"topic {topic} does not exist" in body["subscriptions"]["bsc"]["last_error"]
            assert not stage.upstream.attempts
            await create_topic(kafka.bootstrap_servers, topic)
            await connector.until_metric(ACKED, at_least(100))
            assert await connector.stop() == 0
        await stage.assert_exact(feed)


@pytest.mark.slow
async def test_frames_that_nobody_can_read_are_kept_without_the_token_that_they_repeat(
    kafka: KafkaCluster, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    feed = Feed("bsc", rate=0)
    async with open_stage(kafka, tmp_path, topic_name(), feed) as stage:
        async with stage.start(stage.config(errors=tolerant(stage))) as connector:
            await connector.until_state("bsc", "live")
            feed.emit(10)
            (session,) = stage.upstream.open_sessions
            session.deliver(b'{"data":{"EVM":{"DEXTrades":[{"Block":', 0)
            session.deliver(b'{"data":{"EVM":"none of these"}}', 0)
            feed.emit(10)
            await connector.until_metric(ACKED, at_least(20))
            await connector.until_metric(LETTERS, at_least(2), reason="frame")
            assert await connector.state("bsc") == "live"
            token = stage.authority.issued[-1].value
            session.wire.write(f"<html>cannot serve {stage.upstream.url}?token={token}</html>".encode())
            await connector.until_metric(LETTERS, at_least(1), reason="protocol")
            await connector.until_metric("connector_sessions_opened_total", at_least(2))
            assert await connector.metric("connector_reconnects_total", reason="protocol_violation") == 1
            assert await connector.metric(FAILED) == 2
            assert await connector.stop() == 0
        kept = await letters(stage)
        values = {record.value or b"" for record in kept}
        assert len(values) == 3
        assert any(b'"none of these"' in value and b'"payload"' in value for value in values)
        assert any(value.endswith(b'{"Block":}') for value in values)
        (foreign,) = (value for value in values if value.startswith(b"<html>"))
        assert foreign.endswith(b"</html>")
        assert not [secret for secret in stage.secrets() if secret.encode() in b"".join(values)]
        stages = sorted(text_headers(record)["__connect.errors.stage"] for record in kept)
        assert stages == ["TASK_POLL", "VALUE_CONVERTER", "VALUE_CONVERTER"]
        await stage.assert_exact(feed)


async def test_a_signal_waits_for_dead_letters_too(
    kafka: KafkaCluster, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    feed = Feed("bsc", rate=0)
    async with open_stage(kafka, tmp_path, topic_name(), feed) as stage:
        await create_topic(kafka.bootstrap_servers, stage.topic("bsc"), config=COMPACTED)
        await create_topic(kafka.bootstrap_servers, dead_letter_topic(stage))
        config = stage.config(
            topics={"create": False}, errors=tolerant(stage, window={"failures": 1000, "rows": 1000})
        )
        config["subscriptions"][0].pop("key")
        async with stage.start(config) as connector:
            await connector.until_state("bsc", "live")
            feed.emit(40)  # each is refused in requests of its own
            await connector.until_metric("connector_rows_received_total", at_least(40))
            assert await connector.stop() == 0
        assert numbers(await letters(stage)) == set(range(40))
