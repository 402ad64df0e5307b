"""Dead letters on Apache Kafka: whole, cut, refused, and through an outage."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import anyio
import pytest
from anyio.to_thread import run_sync

from connector.errors import DataError
from connector.kafka import KafkaSettings, NewTopics
from connector.publish import DeadLetterOrigin, DeadLetters, PublishSettings, Submission, SubmittedRecords
from connector.records.bad import BadRecord
from connector.records.record import SourceRecord
from tests.brokers.admin import create_topic
from tests.brokers.cluster import KafkaCluster
from tests.brokers.fixtures import StartKafka
from tests.brokers.reader import Record, read_all
from tests.integration.publish.publishing import (
    CREATE,
    DEADLINE,
    EXISTING,
    IMPATIENT,
    KAFKA,
    NOW_MS,
    Running,
    numbered,
    publishing,
    until,
)

SMALL = {"max.message.bytes": "50000"}
LZ4 = replace(KAFKA, compression="lz4")
NOISE = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(10_000))
"""320 kB that no compression makes smaller."""


class Mail:
    """One subscription whose bad rows become dead letters."""

    def __init__(self, running: Running, topic: str) -> None:
        self.delivered: list[BadRecord] = []
        self.refused: list[DataError] = []
        self.settled: list[Submission] = []
        self.submitted = SubmittedRecords(self.settled.extend, self._bad)
        self._running = running
        self._topic = topic
        self._letters = DeadLetters(running.publisher, topic, DeadLetterOrigin(connector="c", task=0))

    def _bad(self, record: BadRecord, submission: Submission) -> bool:
        self._letters.add(record, submission, self)
        return True

    def dead_lettered(self, record: BadRecord) -> None:
        self.delivered.append(record)

    def undeliverable(self, record: BadRecord, error: DataError) -> None:
        self.refused.append(error)

    async def add(self, topic: str, rows: Sequence[SourceRecord]) -> None:
        with anyio.fail_after(DEADLINE):
            for name in (topic, self._topic):
                await self._running.publisher.topic(name).ready.wait()
        submission = self.submitted.open(rows=len(rows), size=0, received_at=0.0)
        self._running.publisher.add({topic: rows}, submission, NOW_MS)

    async def deliver(self, topic: str, rows: Sequence[SourceRecord]) -> None:
        await self.add(topic, rows)
        with anyio.fail_after(DEADLINE):
            await self.submitted.below(0)


async def read_back(kafka: KafkaCluster, topic: str) -> list[Record]:
    return await read_all(kafka.bootstrap_servers, topic)


@pytest.mark.parametrize("kafka_settings", [KAFKA, LZ4], ids=["plain", "lz4"])
@pytest.mark.parametrize("settings", [CREATE, EXISTING], ids=["known", "unknown"])
async def test_dead_letters_are_whole_where_they_fit_and_cut_where_they_do_not(
    kafka: KafkaCluster,
    topic_name: Callable[[], str],
    settings: PublishSettings,
    kafka_settings: KafkaSettings,
) -> None:
    topic = await create_topic(kafka.bootstrap_servers, topic_name(), config={"max.message.bytes": "20000"})
    dead = await create_topic(kafka.bootstrap_servers, topic_name(), config=SMALL)
    fits, does_not, good = NOISE[:30_000], NOISE[:200_000], b"good" * 10
    rows: list[SourceRecord] = [
        (b"k", value, None, []) for value in (good, fits, good, does_not, good, does_not)
    ]
    async with publishing(kafka.bootstrap_servers, settings, kafka_settings) as running:
        mail = Mail(running, dead)
        await mail.deliver(topic, rows)
        assert mail.refused == []
        assert len(mail.delivered) == 3
    assert [record.value for record in await read_back(kafka, topic)] == [good] * 3
    letters = await read_back(kafka, dead)
    by_length = {
        headers.get("original_bytes"): record for record in letters for headers in [dict(record.headers)]
    }
    assert by_length[None].value == fits
    cut = by_length[b"200000"]
    assert cut.value is not None
    assert does_not.startswith(cut.value)
    assert 20_000 < len(cut.value) < 50_000
    assert dict(cut.headers)["original_sha256"] == hashlib.sha256(does_not).hexdigest().encode()
    assert len(letters) == 3
    assert {record.key for record in letters} == {b"k"}


async def test_a_dead_letter_topic_that_is_created_is_not_compacted_and_takes_dead_letters_without_keys(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic, dead = topic_name(), topic_name()
    new = NewTopics(config={"cleanup.policy": "compact"}, exceptions={dead: {"cleanup.policy": "delete"}})
    async with publishing(kafka.bootstrap_servers, PublishSettings(create=new)) as running:
        mail = Mail(running, dead)
        await mail.deliver(topic, numbered(range(10), key=None))
        assert (len(mail.delivered), mail.refused) == (10, [])
        assert running.rebuilt == 0  # what is known beforehand is not tried
    assert len(await read_back(kafka, dead)) == 10


async def test_a_compacted_dead_letter_topic_refuses_dead_letters_without_keys_and_that_is_told(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    compacted = {"cleanup.policy": "compact"}
    topic = await create_topic(kafka.bootstrap_servers, topic_name(), config=compacted)
    dead = await create_topic(kafka.bootstrap_servers, topic_name(), config=compacted)
    for settings in (CREATE, EXISTING):
        async with publishing(kafka.bootstrap_servers, settings) as running:
            mail = Mail(running, dead)
            await mail.deliver(topic, [*numbered([1]), *numbered([2], key=None), *numbered([3])])
            assert mail.delivered == []
            (error,) = mail.refused
            assert "a compacted topic wants keys" in str(error)
    assert len(await read_back(kafka, topic)) == 4
    assert await read_back(kafka, dead) == []


async def test_a_broker_that_dies_with_dead_letters_on_their_way_loses_none(
    start_kafka: StartKafka, topic_name: Callable[[], str]
) -> None:
    kafka = await run_sync(start_kafka)
    topic = await create_topic(kafka.bootstrap_servers, topic_name(), config=SMALL)
    dead = topic_name()
    impatient = PublishSettings(create=NewTopics(), stall_after=1.0, give_up_after=3.0, quiesce=1.0)
    bad = [b"%09d" % number + NOISE[:60_000] for number in range(20)]
    async with publishing(kafka.bootstrap_servers, impatient, IMPATIENT) as running:
        mail = Mail(running, dead)
        await mail.deliver(topic, numbered(range(5)))
        for number, value in enumerate(bad):
            await mail.add(topic, [(None, value, None, []), *numbered([100 + number])])
            if number == 10:
                kafka.broker(1).kill()
        await until(lambda: running.rebuilt >= 1)
        assert mail.refused == []
        await run_sync(kafka.broker(1).restart)
        with anyio.fail_after(DEADLINE):
            await mail.submitted.below(0)
        assert len(mail.delivered) == 20
    values = {record.value for record in await read_back(kafka, dead)}
    assert values == set(bad)
    assert {int(record.value or b"") for record in await read_back(kafka, topic)} == {
        *range(5),
        *range(100, 120),
    }
