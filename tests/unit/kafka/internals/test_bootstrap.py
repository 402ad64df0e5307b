"""A client that is cut short leaves no connection open."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from aiokafka import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataResponse_v1

from connector.kafka.internals import closing_bootstrap


class Connection:
    """Satisfies what ``bootstrap`` asks of a connection: ``answer`` is the brokers', ``None`` is silence."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self.times_closed = 0

    async def send(self, request: object) -> Any:
        if self._answer is None:
            await anyio.sleep_forever()
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def close(self, reason: object = None) -> None:
        self.times_closed += 1


class Connect:
    """Satisfies ``create_conn``: opens what it was given, in that order."""

    def __init__(self, *connections: Connection) -> None:
        self._connections = list(connections)

    async def __call__(self, host: str, port: int, **options: object) -> Connection:
        return self._connections.pop(0)


CLUSTER = MetadataResponse_v1([(1, "kafka", 9092, None)], 1, [])


async def test_a_connection_that_is_waited_for_is_closed_when_time_is_up() -> None:
    silent = Connection(None)
    client = AIOKafkaClient(bootstrap_servers="kafka:9092")
    with (
        pytest.raises(TimeoutError),
        anyio.fail_after(0.05),
        closing_bootstrap(client, connect=Connect(silent)),
    ):
        await client.bootstrap()
    assert silent.times_closed == 1


async def test_what_fails_later_closes_it_too() -> None:
    good = Connection(CLUSTER)
    client = AIOKafkaClient(bootstrap_servers="kafka:9092")

    async def start() -> None:
        with closing_bootstrap(client, connect=Connect(good)):
            await client.bootstrap()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await start()
    assert good.times_closed == 2  # by the library, and by us
    await client.close()


async def test_where_all_is_well_the_library_closes_what_it_opened() -> None:
    broken, good = Connection(KafkaConnectionError("gone")), Connection(CLUSTER)
    client = AIOKafkaClient(bootstrap_servers=["one:9092", "two:9092"])
    with closing_bootstrap(client, connect=Connect(broken, good)):
        await client.bootstrap()
    assert (broken.times_closed, good.times_closed) == (1, 1)
    assert [broker.host for broker in client.cluster.brokers()] == ["kafka"]
    assert client.bootstrap.__func__ is AIOKafkaClient.bootstrap
    await client.close()


class Slow:
    """Satisfies ``create_conn``: servers called "dead…" never answer, those called "no…" refuse."""

    def __init__(self) -> None:
        self.tried: list[str] = []
        self.good = Connection(CLUSTER)

    async def __call__(self, host: str, port: int, **options: object) -> Connection:
        self.tried.append(host)
        if host.startswith("dead"):
            await anyio.sleep_forever()
        if host.startswith("no"):
            raise OSError("refused")
        return self.good


async def test_servers_that_are_dead_do_not_hold_up_those_that_answer() -> None:
    slow = Slow()
    client = AIOKafkaClient(bootstrap_servers=["dead-1:1", "no-1:1", "dead-2:1", "good:1"])
    with anyio.fail_after(10), closing_bootstrap(client, connect=slow):
        await client.bootstrap()
    assert [broker.host for broker in client.cluster.brokers()] == ["kafka"]
    assert slow.good.times_closed == 1
    await client.close()


async def test_where_none_answers_each_is_tried_once() -> None:
    slow = Slow()
    client = AIOKafkaClient(bootstrap_servers=["no-1:1", "no-2:1", "no-3:1"])
    with (
        pytest.raises(KafkaConnectionError, match="Unable to bootstrap"),
        closing_bootstrap(client, connect=slow),
    ):
        await client.bootstrap()
    assert sorted(slow.tried) == ["no-1", "no-2", "no-3"]


async def test_two_that_answer_at_the_same_time_leave_one_connection() -> None:
    first, second = Connection(CLUSTER), Connection(CLUSTER)
    both = anyio.Event()
    opened = [first, second]

    async def connect(host: str, port: int, **options: object) -> Connection:
        connection = opened.pop()
        if not opened:
            both.set()
        await both.wait()
        return connection

    client = AIOKafkaClient(bootstrap_servers=["one:1", "two:1"])
    with closing_bootstrap(client, connect=connect):
        await client.bootstrap()
    assert (first.times_closed, second.times_closed) == (1, 1)
    await client.close()
