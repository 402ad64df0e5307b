"""Gaps as events on Apache Kafka: in order, through an outage, in a topic that keeps them all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import msgspec
from anyio.to_thread import run_sync

from connector.kafka import NewTopics
from connector.publish import EventsTopic, Gap, GapEvents, PublishSettings
from tests.brokers.cluster import KafkaCluster
from tests.brokers.fixtures import StartKafka
from tests.brokers.reader import Record, read_all
from tests.integration.publish.publishing import DEADLINE, IMPATIENT, Running, numbered, publishing, until

NAMES = ("bsc", "eth", "solana")


class Told:
    """Satisfies `GapEventObserver`."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.not_written: list[str] = []

    def gap_event(self, event: str) -> None:
        self.written.append(event)

    def gap_event_not_written(self, reason: str) -> None:
        self.not_written.append(reason)


def pass_by(events: GapEvents, number: int) -> None:
    """Let a gap begin and end."""
    gap = Gap(id=f"g{number:03}", since_ms=number, reason="closed")
    events.opened(gap)
    events.unfilled(Gap(id=gap.id, since_ms=number, until_ms=number + 1, reason="closed"))


def in_order(records: list[Record]) -> dict[str, list[tuple[str, str]]]:
    """What each subscription's events say, without repeats."""
    found: dict[str, list[tuple[str, str]]] = {}
    for record in records:
        event: dict[str, Any] = msgspec.json.decode(record.value or b"")
        said = found.setdefault(event["subscription"], [])
        if (event["event"], event["id"]) not in said:
            said.append((event["event"], event["id"]))
    return found


def pairs(gaps: int) -> list[tuple[str, str]]:
    return [(kind, f"g{number:03}") for number in range(gaps) for kind in ("gap_opened", "gap_unfilled")]


async def test_a_topic_that_is_created_keeps_every_event_in_the_order_of_its_subscription(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    name = topic_name()
    new = NewTopics(
        partitions=4,
        config={"cleanup.policy": "compact"},
        exceptions={name: {"cleanup.policy": "delete"}},
    )
    told = Told()
    async with publishing(kafka.bootstrap_servers, PublishSettings(create=new)) as running:
        topic = EventsTopic(running.publisher, name, connector="c")
        events = [topic.of(subscription, told) for subscription in NAMES]
        for number in range(30):
            for of_one in events:
                pass_by(of_one, number)
        async with anyio.create_task_group() as group:
            group.start_soon(topic.run)
            with anyio.fail_after(DEADLINE):
                for subscription in NAMES:
                    await topic.drain(subscription)
        assert not running.publisher.topic(name).limits.told.is_compacted
    records = await read_all(kafka.bootstrap_servers, name)
    assert in_order(records) == dict.fromkeys(NAMES, pairs(30))
    for subscription in NAMES:
        (partition,) = {record.partition for record in records if record.key == subscription.encode()}
        assert 0 <= partition < 4
    assert {record.headers for record in records if record.key == b"bsc"} == {
        (("connector", b"c"), ("subscription", b"bsc"))
    }
    assert (len(told.written), told.not_written) == (len(records), [])


async def test_a_broker_that_dies_costs_no_event_and_no_order(
    start_kafka: StartKafka, topic_name: Callable[[], str]
) -> None:
    kafka = await run_sync(start_kafka)
    rows, name = topic_name(), topic_name()
    impatient = PublishSettings(create=NewTopics(), stall_after=1.0, give_up_after=3.0, quiesce=1.0)
    told = Told()
    async with publishing(kafka.bootstrap_servers, impatient, IMPATIENT) as running:
        topic = EventsTopic(running.publisher, name, connector="c")
        events = topic.of("bsc", told)
        await running.deliver(rows, numbered(range(5)))
        for number in range(20):
            pass_by(events, number)
            if number == 10:
                await _ready(running, name)
                events.send()
                kafka.broker(1).kill()
        await until(lambda: running.rebuilt >= 1)
        await run_sync(kafka.broker(1).restart)
        with anyio.fail_after(DEADLINE):
            await events.drain()
    records = await read_all(kafka.bootstrap_servers, name)
    assert in_order(records) == {"bsc": pairs(20)}
    assert (len(told.written), told.not_written) == (40, [])


async def _ready(running: Running, name: str) -> None:
    with anyio.fail_after(DEADLINE):
        await running.publisher.topic(name).ready.wait()
