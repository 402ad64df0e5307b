"""
Subscriptions that come and go while a task runs: a real server on the loopback, the real publisher, brokers
in memory.

Each subscription has a number of its own, and its rows go to topic ``t``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import msgspec
from structlog.testing import capture_logs
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from connector.kafka import KafkaSettings
from connector.publish import Publisher, PublishSettings
from connector.records.extract import Extractor
from connector.records.topics import TopicTemplate
from connector.subscription import GraphQLRequest, MemoryBudget, SessionSettings, Target
from connector.task import Follower, FollowSettings, Patience, State, Task, Tolerance, bucket
from tests.unit.publish.fakes import FakeBrokers, Record
from tests.unit.subscription.servers import greet, until, websocket_server
from tests.unit.task.fakes import Told
from tests.unit.task.test_follower import KafkaSilent


class Upstream:
    """Sends numbered rows to each subscription; ``order`` lists what opened and closed, by document."""

    def __init__(self) -> None:
        self.sent: dict[str, int] = {}
        self.padding: dict[str, int] = {}
        self.order: list[str] = []
        self.open: list[str] = []

    async def serve(self, connection: ServerConnection) -> None:
        _, subscribe = await greet(connection)
        query = subscribe["payload"]["query"].partition("{")[2].strip("} \n")
        self.order.append(f"open {query}")
        self.open.append(query)
        try:
            while True:
                number = self.sent.get(query, 0)
                padding = "x" * self.padding.get(query, 0)
                row = f'{{"s":"{query}","n":{number},"x":"{padding}"}}'
                await connection.send(f'{{"type":"next","id":"1","payload":{{"data":{{"rows":[{row}]}}}}}}')
                self.sent[query] = number + 1
                await asyncio.sleep(0.002)
        except ConnectionClosed:
            self.order.append(f"closed {query}")
            self.open.remove(query)


class Bench:
    """A task that runs, and all around it."""

    def __init__(self, url: str, brokers: FakeBrokers, budget: MemoryBudget) -> None:
        self.url = url
        self.brokers = brokers
        self.budget = budget
        self.told: dict[str, Told] = {}
        self.gone: list[str] = []
        kafka = KafkaSettings(bootstrap_servers="x:1", client_id="c")
        self.publisher = Publisher(kafka, PublishSettings(), KafkaSilent(), brokers=brokers)
        self.task = Task(0, (), self.publisher, gone=self.gone.append)
        self.ended = anyio.Event()

    def follower(self, name: str, *, query: str | None = None, topic: str = "t") -> Follower:
        """A subscription; its document is ``query``, or its name."""
        template = TopicTemplate(topic, {})
        settings = FollowSettings(
            name=name,
            request=GraphQLRequest(f"subscription {{ {query or name} }}"),
            extractor=Extractor(rows=("rows",), key=(), timestamp=None, headers=(), topic=template),
            topics=(template.static,) if template.static else (),
            headers=(),
            streams=1,
            target=Target(url=self.url),
            session=SessionSettings(close_timeout=5.0),
            patience=Patience(keepalive_timeout=60.0, probe=False),
            reopens=True,
            rows_limit=None,
            no_data_alarm=None,
            tolerance=Tolerance(),
        )
        self.told[query or name] = told = Told()
        return Follower(settings, keeper=None, publisher=self.publisher, budget=self.budget, observer=told)

    def numbers(self, query: str) -> list[int]:
        """The numbers of the rows that the brokers hold of one document, in the order published."""
        rows = [msgspec.json.decode(value) for value in self.brokers.values()]
        return [row["n"] for row in rows if row["s"] == query]

    def states(self) -> dict[str, State]:
        return {follower.name: follower.status.state for follower in self.task.followers}

    async def run(self) -> None:
        await self.task.run()
        self.ended.set()

    async def stop(self) -> None:
        self.task.stop()
        with anyio.fail_after(10):
            await self.ended.wait()


@asynccontextmanager
async def running(*names: str, budget: int = 10**9) -> AsyncIterator[tuple[Bench, Upstream]]:
    """A task that follows ``names``; whatever is left is cancelled."""
    upstream, brokers = Upstream(), FakeBrokers()
    brokers.create("t")
    async with websocket_server(upstream.serve, close_timeout=10) as stand:
        bench = Bench(stand.url, brokers, MemoryBudget(budget))
        for name in names:
            bench.task.add(bench.follower(name))
        async with anyio.create_task_group() as group:
            group.start_soon(bench.run)
            yield bench, upstream
            group.cancel_scope.cancel()


def all_there(bench: Bench, upstream: Upstream, query: str) -> bool:
    """Whether every row of ``query`` that was sent is published once and in order; one may be on its way."""
    numbers = bench.numbers(query)
    return numbers == list(range(len(numbers))) and len(numbers) - upstream.sent[query] in (0, 1)


async def test_an_added_one_is_followed_and_the_others_are_left_alone() -> None:
    async with running("a") as (bench, upstream):
        await until(lambda: bench.numbers("a"))
        bench.task.add(bench.follower("b"))
        await until(lambda: bench.numbers("b"))
        await bench.stop()
    assert upstream.order[:2] == ["open a", "open b"]
    assert all(all_there(bench, upstream, query) for query in "ab")
    assert bench.told["a"].reconnects == []


async def test_a_task_without_subscriptions_connects_once_it_has_one() -> None:
    async with running() as (bench, _):
        assert not bench.task.is_used
        await anyio.lowlevel.checkpoint()
        assert bench.publisher.state == ""
        bench.task.add(bench.follower("a"))
        await until(lambda: bench.numbers("a"))
        assert bench.task.is_used
        await bench.stop()


async def test_the_last_one_may_go_and_another_come() -> None:
    async with running("a") as (bench, _):
        await until(lambda: bench.numbers("a"))
        bench.task.remove("a")
        await until(lambda: bench.gone == ["a"])
        assert bench.task.followers == ()
        assert not bench.ended.is_set()
        bench.task.add(bench.follower("b"))
        await until(lambda: bench.numbers("b"))
        await bench.stop()


async def test_a_removed_one_is_closed_and_what_it_received_is_published() -> None:
    async with running("a", "b") as (bench, upstream):
        await until(lambda: bench.numbers("a") and bench.numbers("b"))
        bench.task.remove("a")
        assert [follower.name for follower in bench.task.followers] == ["b"]
        await until(lambda: bench.gone == ["a"])
        assert upstream.open == ["b"]
        assert bench.told["a"].states[-1] is State.STOPPED
        assert bench.told["a"].gaps == []
        await bench.stop()
    assert all(all_there(bench, upstream, query) for query in "ab")
    assert bench.budget.used == 0


async def test_a_changed_one_is_closed_before_it_is_opened_anew() -> None:
    async with running("a", "b") as (bench, upstream):
        await until(lambda: bench.numbers("a") and bench.numbers("b"))
        bench.task.add(bench.follower("a", query="c"))
        assert bench.states()["a"] is State.REOPENING
        await until(lambda: bench.numbers("c"))
        await bench.stop()
    changed = [entry for entry in upstream.order if not entry.endswith("b")]
    assert changed[:3] == ["open a", "closed a", "open c"]
    assert all(all_there(bench, upstream, query) for query in "abc")
    assert (bench.told["b"].reconnects, bench.gone) == ([], [])


async def test_the_time_between_is_a_gap_and_the_state_is_told_by_one_of_them() -> None:
    async with running("a") as (bench, _):
        await until(lambda: bench.states()["a"] is State.LIVE)
        with capture_logs() as logs:
            bench.task.add(bench.follower("a", query="c"))
            await until(lambda: bench.states()["a"] is State.LIVE)
        old, new = bench.told["a"], bench.told["c"]
        assert State.STOPPED not in old.states
        assert new.states[:2] == [State.TOKEN, State.REOPENING]
        assert (new.gaps, new.reconnects, old.gaps) == (["unfilled"], ["reload"], [])
        assert new.uncovered_seconds > 0
        (gap,) = [line for line in logs if line["event"] == "gap declared"]
        assert (gap["reason"], gap["log_level"]) == ("reload", "info")
        await bench.stop()


async def test_of_several_changes_in_a_row_the_last_one_counts() -> None:
    async with running("a") as (bench, upstream):
        await until(lambda: bench.numbers("a"))
        for query in "cde":
            bench.task.add(bench.follower("a", query=query))
        await until(lambda: bench.numbers("e"))
        await bench.stop()
    assert upstream.order[:3] == ["open a", "closed a", "open e"]
    assert bench.told["e"].gaps == ["unfilled"]


async def test_one_that_comes_back_waits_for_its_old_session_to_end() -> None:
    async with running("a") as (bench, upstream):
        await until(lambda: bench.numbers("a"))
        bench.task.remove("a")
        bench.task.add(bench.follower("a", query="c"))
        await until(lambda: bench.numbers("c"))
        assert bench.gone == []
        await bench.stop()
    assert upstream.order[:3] == ["open a", "closed a", "open c"]
    assert bench.told["c"].gaps == []  # nothing was promised in between


async def test_a_frozen_kafka_holds_up_neither_those_that_come_nor_those_that_change() -> None:
    async with running("a", "b") as (bench, upstream):
        await until(lambda: bench.numbers("a") and bench.numbers("b"))
        bench.brokers.freeze()
        before = upstream.sent["b"]
        bench.task.remove("a")
        bench.task.add(bench.follower("b", query="c"))
        bench.task.add(bench.follower("d"))
        await until(lambda: upstream.open == ["d", "c"] or upstream.open == ["c", "d"])
        await until(lambda: upstream.sent["c"] > 10 and upstream.sent["d"] > 10)
        assert upstream.sent["b"] >= before
        held = sum(follower.undelivered for follower in bench.task.followers)
        assert bench.task.undelivered > held  # the removed one's are counted too
        assert bench.gone == []
        bench.brokers.thaw()
        await until(lambda: bench.gone == ["a"])
        await bench.stop()
    assert all(all_there(bench, upstream, query) for query in "abcd")
    assert bench.task.undelivered == 0


async def test_while_it_stops_nothing_is_opened_any_more() -> None:
    async with running("a") as (bench, upstream):
        await until(lambda: bench.numbers("a"))
        bench.task.stop()
        bench.task.add(bench.follower("a", query="c"))
        bench.task.add(bench.follower("b"))
        with anyio.fail_after(10):
            await bench.ended.wait()
    assert upstream.order == ["open a", "closed a"]
    assert all_there(bench, upstream, "a")


async def test_one_that_failed_starts_anew_when_it_is_changed() -> None:
    def refuse(record: Record) -> str | None:
        return "too_large" if b'"s":"a","n":20' in record.value else None

    async with running("a") as (bench, _):
        bench.brokers.topics["t"].refuses = refuse
        await until(lambda: bench.states()["a"] is State.FAILED)
        bench.task.add(bench.follower("a", query="c"))
        await until(lambda: bench.numbers("c"))
        assert bench.states()["a"] is State.LIVE
        await bench.stop()
    assert bench.told["c"].gaps == ["unfilled"]


async def test_a_stopped_one_is_not_asked_to_shed() -> None:
    async with running("a", "b", budget=200_000) as (bench, upstream):
        await until(lambda: bench.numbers("a") and bench.numbers("b"))
        bench.brokers.freeze()
        upstream.padding["a"] = 1000  # so that it holds the most
        await until(lambda: bench.budget.used > 90_000)
        bench.task.remove("a")
        upstream.padding["b"] = 1000
        await until(lambda: bench.told["b"].sheds)
        assert bench.told["a"].sheds == 0
        bench.brokers.thaw()
        await bench.stop()
    assert all(all_there(bench, upstream, query) for query in "ab")
    assert bench.budget.used == 0


async def test_a_topic_that_nobody_names_any_more_is_not_looked_for() -> None:
    async with running() as (bench, _):
        bench.task.add(bench.follower("a", topic="wrong"))
        await until(lambda: "wrong" in (bench.task.followers[0].status.last_error or ""))
        bench.task.add(bench.follower("a"))
        with anyio.fail_after(30):  # missing topics are looked for in real seconds
            while not bench.numbers("a"):  # noqa: ASYNC110
                await anyio.sleep(0.01)
        bench.brokers.create("wrong")
        bench.brokers.create("t2")
        await until(bench.publisher.topic("t2").ready.is_set)
        assert not bench.publisher.topic("wrong").ready.is_set()
        await bench.stop()


def test_a_name_stays_in_its_bucket() -> None:
    buckets = {name: bucket(name, 4) for name in "abcdefgh"}
    assert len(set(buckets.values())) > 1
    assert buckets == {name: bucket(name, 4) for name in "hgfedcba"}
