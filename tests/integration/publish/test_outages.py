"""
Brokers that freeze, die and come back: no row is lost, and none overtakes another.

Not proved: power loss (what a killed broker wrote stays with the page cache).
"""

from collections.abc import Callable, Sequence

import anyio
import pytest
from anyio.to_thread import run_sync

from connector.kafka import KafkaSettings, NewTopics
from connector.publish import PublishSettings
from tests.brokers.admin import leader_of
from tests.brokers.broker import Broker
from tests.brokers.cluster import KafkaCluster
from tests.brokers.reader import Record, read_all
from tests.integration.publish.publishing import (
    CREATE,
    IMPATIENT,
    KAFKA,
    Running,
    numbered,
    publishing,
    until,
)

FOUR = NewTopics(partitions=4)
QUICK = PublishSettings(create=FOUR, stall_after=1.0, give_up_after=3.0, quiesce=1.0)


class Stream:
    """Rows 0, 1, 2, … into a topic, a hundred at a time."""

    def __init__(self, running: Running, topic: str) -> None:
        self.count = 0
        self._running = running
        self._topic = topic

    async def add(self, frames: int) -> None:
        """Queue this many frames of a hundred rows."""
        for _ in range(frames):
            rows = numbered(range(self.count, self.count + 100), key=None)
            self.count += 100
            await self._running.add(self._topic, rows)
            await anyio.sleep(0.002)

    def check(self, records: Sequence[Record], *, once: bool) -> None:
        """Hold that every row is there, in the order of its partition; ``once``: and none twice."""
        values = [int(record.value or b"") for record in records]
        assert sorted(set(values)) == list(range(self.count))
        assert len(values) == self.count or not once
        for partition in {record.partition for record in records}:
            of_partition = [int(record.value or b"") for record in records if record.partition == partition]
            first_seen = list(dict.fromkeys(of_partition))
            assert first_seen == sorted(first_seen)


async def test_a_broker_frozen_for_fifteen_seconds_and_thawed(
    alone: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic, broker = topic_name(), alone.broker(1)
    async with publishing(alone.bootstrap_servers, PublishSettings(create=FOUR)) as running:
        stream = Stream(running, topic)
        await stream.add(20)
        broker.freeze()
        await stream.add(20)
        await anyio.sleep(15)
        assert running.publisher.state == "stalled"
        assert running.publisher.held > 0
        broker.thaw()
        await running.all_settled()
        await until(lambda: running.publisher.state == "up")
        await stream.add(20)
        await running.all_settled()
        assert running.states == ["connecting", "up", "stalled", "up"]
        assert running.rebuilt == 0
    stream.check(await read_all(alone.bootstrap_servers, topic), once=True)


async def test_a_frozen_broker_that_lets_requests_time_out_gets_no_row_twice(
    alone: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic, broker = topic_name(), alone.broker(1)
    async with publishing(alone.bootstrap_servers, PublishSettings(create=FOUR), IMPATIENT) as running:
        stream = Stream(running, topic)
        await stream.add(20)
        broker.freeze()
        await stream.add(20)
        await anyio.sleep(5)
        broker.thaw()
        await running.all_settled()
        assert running.rebuilt == 0
    stream.check(await read_all(alone.bootstrap_servers, topic), once=True)


@pytest.mark.parametrize("settings", [KAFKA, IMPATIENT], ids=["patient", "impatient"])
async def test_a_broker_frozen_for_too_long_gets_another_producer(
    alone: KafkaCluster, topic_name: Callable[[], str], settings: KafkaSettings
) -> None:
    topic, broker = topic_name(), alone.broker(1)
    async with publishing(alone.bootstrap_servers, QUICK, settings) as running:
        stream = Stream(running, topic)
        await stream.add(20)
        await running.all_settled()
        broker.freeze()
        await stream.add(20)
        await until(lambda: running.rebuilt == 1)
        assert "stalled" in running.states
        await until(lambda: running.publisher.state == "connecting")
        broker.thaw()
        await running.all_settled()
        await stream.add(10)
        await running.all_settled()
    stream.check(await read_all(alone.bootstrap_servers, topic), once=False)


@pytest.mark.parametrize("settings", [CREATE, QUICK], ids=["waited-for", "given-up"])
async def test_the_only_broker_is_killed_and_restarted(
    alone: KafkaCluster, topic_name: Callable[[], str], settings: PublishSettings
) -> None:
    topic, broker = topic_name(), alone.broker(1)
    async with publishing(alone.bootstrap_servers, settings, IMPATIENT) as running:
        stream = Stream(running, topic)
        await stream.add(20)
        broker.kill()
        await stream.add(20)
        if settings is QUICK:
            await until(lambda: running.rebuilt == 1)
        await run_sync(broker.restart)
        await running.all_settled()
        await stream.add(10)
        await running.all_settled()
    stream.check(await read_all(alone.bootstrap_servers, topic), once=settings is CREATE)


@pytest.mark.parametrize("harm", [Broker.kill, Broker.freeze])
async def test_one_of_three_brokers_fails_and_comes_back(
    fragile: KafkaCluster, topic_name: Callable[[], str], harm: Callable[[Broker], None]
) -> None:
    topic = topic_name()
    async with publishing(fragile.bootstrap_servers, PublishSettings(create=FOUR), IMPATIENT) as running:
        stream = Stream(running, topic)
        await stream.add(20)
        broker = fragile.broker(await leader_of(fragile.bootstrap_servers, topic))
        harm(broker)
        await stream.add(50)
        await running.all_settled()
        if broker.is_running:
            broker.thaw()
        else:
            await run_sync(broker.restart)
        await stream.add(50)
        await running.all_settled()
        assert running.rebuilt == 0
    stream.check(await read_all(fragile.bootstrap_servers, topic), once=True)


async def test_all_of_three_brokers_die_and_come_back(
    fragile: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = topic_name()
    async with publishing(fragile.bootstrap_servers, QUICK, IMPATIENT) as running:
        stream = Stream(running, topic)
        await stream.add(20)
        fragile.kill()
        await stream.add(20)
        await until(lambda: running.rebuilt >= 1)
        await run_sync(fragile.start)
        await running.all_settled()
    stream.check(await read_all(fragile.bootstrap_servers, topic), once=False)


async def test_stopping_before_any_broker_answered_takes_no_time(alone: KafkaCluster) -> None:
    alone.broker(1).freeze()
    async with publishing(alone.bootstrap_servers) as running:  # which checks that it ends within seconds
        running.publisher.topic("t")
        await anyio.sleep(1)
        assert running.states == ["connecting"]
