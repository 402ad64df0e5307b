"""Brokers and networks that take less than Kafka's defaults: requests, quotas, idle connections, servers."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio
import pytest

from connector.publish import PublishSettings
from tests.brokers.ports import free_ports
from tests.integration.publish.publishing import EXISTING, KAFKA, Running, numbered, publishing, until
from tests.standins.kafka_broker import METADATA, PRODUCE, StandinBroker, standin_broker

MIB = 1 << 20


@asynccontextmanager
async def publishing_to(
    broker: StandinBroker, settings: PublishSettings = EXISTING, **kafka: int
) -> AsyncIterator[Running]:
    async with publishing(broker.address, settings, replace(KAFKA, **kafka)) as running:  # type: ignore[arg-type]
        yield running


async def settle(running: Running, topic: str, rows: int, size: int) -> None:
    await running.add(topic, numbered(range(rows), size=size, key=None))
    await running.all_settled(60)
    assert running.failed == []


async def test_requests_are_within_a_bound_however_many_partitions_wait() -> None:
    async with standin_broker(t=16) as broker, publishing_to(broker) as running:
        broker.largest = 2 * MIB
        await settle(running, "t", 800, 20_000)
        assert broker.written == 800
        assert max(broker.sizes) <= MIB
        assert running.rebuilt == 0


async def test_requests_shrink_where_connections_end_on_them() -> None:
    async with standin_broker(t=16) as broker:
        broker.largest = MIB
        async with publishing_to(broker, max_request_bytes=300 * MIB) as running:
            await settle(running, "t", 800, 20_000)
            assert broker.written == 800
            await settle(running, "t", 800, 20_000)
            assert broker.written == 1600
            assert running.rebuilt == 0


async def test_batches_shrink_where_one_alone_is_too_large() -> None:
    async with standin_broker(t=3) as broker:
        broker.largest = 150_000
        async with publishing_to(broker) as running:
            await settle(running, "t", 300, 5_000)
            assert broker.written == 300
            await until(lambda: running.publisher.state == "up", deadline=10)
            assert running.publisher.error is None


async def test_a_row_that_no_request_can_hold_is_a_bad_record() -> None:
    async with standin_broker(t=1) as broker:
        broker.largest = 150_000
        async with publishing_to(broker) as running:
            await running.add("t", [(None, b"x" * 300_000, None, []), *numbered(range(5))])
            await running.all_settled(90)
            assert [getattr(error, "reason", None) for error in running.failed] == ["too_large"]
            assert "socket.request.max.bytes" in str(running.failed[0])
            assert sorted(broker.values["t", 0]) == [b"%08d" % number for number in range(5)]


@pytest.mark.parametrize("trouble", ["no leader", "deleted"])
async def test_metadata_is_asked_for_a_few_times_a_second(trouble: str) -> None:
    async with standin_broker(t=2) as broker, publishing_to(broker) as running:
        await settle(running, "t", 10, 10)
        before = broker.requests[METADATA]
        if trouble == "deleted":
            broker.topics.clear()
        else:
            broker.leaderless.add(("t", 0))
        began = time.monotonic()
        await running.add("t", numbered(range(10), key=None))
        await anyio.sleep(5)
        asked = (broker.requests[METADATA] - before) / (time.monotonic() - began)
        assert 0 < asked < 5
        broker.topics["t"] = 2
        broker.leaderless.clear()
        await running.all_settled(60)
        assert broker.written == 20


async def test_brokers_that_are_away_are_looked_for_a_few_times_a_second() -> None:
    async with standin_broker(t=2) as broker, publishing_to(broker) as running:
        await settle(running, "t", 10, 10)
        broker.largest = 0  # whatever comes, the connection ends
        before = broker.connections
        await running.add("t", numbered(range(10), key=None))
        await anyio.sleep(5)
        assert 0 < broker.connections - before < 60
        broker.largest = None
        await running.all_settled(60)


async def test_other_partitions_are_not_kept_by_one_without_a_leader() -> None:
    async with standin_broker(t=1, other=1) as broker, publishing_to(broker) as running:
        await settle(running, "t", 1, 10)
        await settle(running, "other", 1, 10)
        broker.leaderless.add(("t", 0))
        await running.add("t", numbered([2]))
        await anyio.sleep(3)  # questions are a second apart by now
        aside = Running.beside(running)
        began = time.monotonic()
        for number in range(40):
            await aside.deliver("other", numbered([number]))
        assert time.monotonic() - began < 20
        said = running.publisher._producers._delivery._producer.refusal()  # type: ignore[union-attr]
        assert said == "partition 0 of topic t has no leader: look at the brokers that hold it"
        broker.leaderless.clear()
        await running.all_settled(60)


async def test_a_topic_that_was_deleted_is_told_as_missing() -> None:
    async with standin_broker(t=1) as broker, publishing_to(broker) as running:
        await settle(running, "t", 1, 10)
        broker.topics.clear()
        await running.add("t", numbered([2]))
        await until(lambda: running.publisher.topics_not_ready == 1, deadline=30)
        said = "topic t does not exist: create it, or set topics.create to true"
        assert running.publisher.error == said
        broker.topics["t"] = 1
        await running.all_settled(60)


async def test_a_quota_is_waited_out() -> None:
    async with standin_broker(t=1) as broker:
        broker.quota = 3.0
        async with publishing(broker.address, EXISTING, replace(KAFKA, request_timeout=2.0)) as running:
            for number in range(3):
                await running.add("t", numbered([number]))
                await anyio.sleep(0.5)
            await until(lambda: running.publisher.state == "throttled", deadline=10)
            assert "quota" in (running.publisher.error or "")
            await running.all_settled(60)
            assert broker.values["t", 0] == [b"%08d" % number for number in range(3)]
            assert (broker.impatient, running.rebuilt) == (0, 0)
            assert "stalled" not in running.states
            broker.quota = None


async def test_a_connection_that_was_forgotten_is_replaced_within_seconds() -> None:
    async with standin_broker(t=1) as broker, publishing_to(broker) as running:
        await settle(running, "t", 1, 10)
        broker.forgets_after = 2.5
        await anyio.sleep(4)
        began = time.monotonic()
        await settle(running, "t", 1, 10)
        assert time.monotonic() - began < 9
        assert (running.rebuilt, running.states) == (0, ["connecting", "up"])


async def test_bootstrap_servers_that_are_dead_do_not_hold_the_others_up() -> None:
    (refused,) = free_ports(1)
    async with standin_broker(t=1) as broker, standin_broker() as silent:
        silent.forgets_after = -1.0
        servers = f"127.0.0.1:{refused},{silent.address},no-such-host.invalid:9092,{broker.address}"
        began = time.monotonic()
        async with publishing(servers, EXISTING, KAFKA) as running:
            await settle(running, "t", 1, 10)
            assert time.monotonic() - began < 8
        assert broker.requests[PRODUCE] == 1
