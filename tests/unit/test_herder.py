"""
Tasks that are started, changed and stopped: the real tasks, upstream and brokers in memory.

A subscription's rows carry the field that its document asks for, and a number. Those of one task go to topic
``t`` of that task's brokers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import msgspec
import pytest

from connector.config import Change, LoadedConfig, compare, read_config
from connector.herder import Herder, TaskEnded
from connector.records.plan import SubscriptionPlan
from connector.records.record_builder import RecordBuilder
from connector.records.record_spec import RecordSpec
from connector.records.topics import TopicTemplate
from connector.subscription import MemoryBudget
from connector.task import Shared, State, SubscriptionRunner, Task, bucket
from tests.unit.auth.fakes import settle
from tests.unit.publish.fakes import FakeBrokers
from tests.unit.task.fakes import Told
from tests.unit.task.scenario import publisher_on, settings_of, until
from tests.unit.task.tasks import Flows
from tests.unit.task.upstream import FakeUpstream

TASKS = 2
TO_T = RecordSpec(topic=TopicTemplate("t", {}))
A, B, *_ = [name for name in "abcdefgh" if bucket(name, TASKS) == 0]
C, D, *_ = [name for name in "abcdefgh" if bucket(name, TASKS) == 1]

HEAD = """\
name: shop
tasks: 2
endpoint: {url: "ws://127.0.0.1:1/graphql"}
kafka: {bootstrap_servers: "localhost:9092"}
subscriptions:
"""


class FakeFactory:
    """
    Satisfies `TaskFactory`: real parts, with brokers in memory that those of one number share. ``refuses``
    names what cannot be made, subscriptions and numbers of tasks.
    """

    def __init__(self, upstream: FakeUpstream) -> None:
        self.budget = MemoryBudget(10**9)
        self.shared = Shared(keeper=None, budget=self.budget, connection=upstream, clock=anyio.current_time)
        self.brokers = [FakeBrokers() for _ in range(TASKS)]
        for brokers in self.brokers:
            brokers.create("t")
        self.told: dict[str, Told] = {}
        self.made: list[int] = []
        self.forgotten: list[str] = []
        self.updated: list[int] = []
        self.config: LoadedConfig | None = None
        self.refuses: set[str | int] = set()

    def reconfigure(self, loaded: LoadedConfig, change: Change) -> None:
        self.config = loaded

    def update(self, task: Task, change: Change) -> None:
        assert self.config is not None  # what is shared comes first
        self.updated.append(task.number)

    def task(self, number: int) -> Task:
        self._may(number)
        self.made.append(number)
        return Task(number, (), publisher_on(self.brokers[number]), gone=self.forget)

    def runner(self, plan: SubscriptionPlan, task: Task) -> SubscriptionRunner:
        self._may(plan.name)
        self.told[plan.name] = told = Told()
        settings = settings_of(plan.name, query=plan.document_text, records=RecordBuilder(TO_T))
        return SubscriptionRunner(settings, shared=self.shared, publisher=task.publisher, observer=told)

    def forget(self, name: str) -> None:
        self.forgotten.append(name)

    def _may(self, wanted: str | int) -> None:
        if wanted in self.refuses:
            raise RuntimeError(f"{wanted} cannot be made")


class Bench:
    """A herder that runs, and all around it."""

    def __init__(self, directory: Path, flows: Flows, upstream: FakeUpstream, names: Sequence[str]) -> None:
        self.directory = directory
        self.upstream = flows
        self.factory = FakeFactory(upstream)
        self.config = self.read(dict.fromkeys(names, ""))
        self.herder = Herder(self.config, self.factory)
        self.ended = anyio.Event()

    def read(self, queries: dict[str, str]) -> LoadedConfig:
        """The configuration with these subscriptions; each asks for a field, of its own name where empty."""
        entries = [
            f'  - {{name: {name}, topic: t, document: "subscription {{ {query or name} }}"}}\n'
            for name, query in queries.items()
        ]
        file = self.directory / "shop.yaml"
        file.write_text(HEAD + "".join(entries))
        return read_config(file, env={})

    def apply(self, queries: dict[str, str]) -> None:
        """Let the herder run ``queries`` from now on."""
        config = self.read(queries)
        self.herder.apply(config, compare(self.config, config))
        self.config = config

    def numbers(self, query: str, task: int) -> list[int]:
        """The numbers of the rows that the brokers of ``task`` hold of one document, in order."""
        rows = [msgspec.json.decode(value) for value in self.factory.brokers[task].values()]
        return [row["n"] for row in rows if row["s"] == query]

    def all_there(self, query: str, task: int) -> bool:
        """Whether every row that was sent is published once and in order; one may be on its way."""
        numbers = self.numbers(query, task)
        sent = self.upstream.sent[query]
        return numbers == list(range(len(numbers))) and len(numbers) - sent in (0, 1)

    def states(self) -> dict[str, State]:
        return {runner.name: runner.status.state for task in self.herder.tasks for runner in task.runners}

    async def run(self) -> None:
        await self.herder.run()
        self.ended.set()

    async def stop(self) -> None:
        self.herder.stop()
        with anyio.fail_after(10):
            await self.ended.wait()


@asynccontextmanager
async def running(directory: Path, *names: str, tasks: Sequence[int] = range(TASKS)) -> AsyncIterator[Bench]:
    """A herder of the subscriptions ``names`` whose ``tasks`` were started; whatever is left is cancelled."""
    flows = Flows()
    upstream = FakeUpstream(flows)
    bench = Bench(directory, flows, upstream, names)
    for number in tasks:
        await bench.herder.start_task(number)
    async with anyio.create_task_group() as group:
        group.start_soon(upstream.serve)
        group.start_soon(bench.run)
        yield bench
        group.cancel_scope.cancel()


async def test_a_change_is_applied_to_the_subscriptions_that_it_touches_only(tmp_path: Path) -> None:
    async with running(tmp_path, A, B, C) as bench:
        await until(lambda: bench.numbers(A, 0) and bench.numbers(B, 0) and bench.numbers(C, 1))
        bench.apply({A: "changed", C: "", D: ""})
        await until(lambda: bench.numbers("changed", 0) and bench.numbers(D, 1))
        await until(lambda: bench.factory.forgotten == [B])
        assert bench.upstream.order.count(f"open {C}") == 1
        assert set(bench.states()) == {A, C, D}
        assert bench.factory.told[C].reconnects == []
        await bench.stop()
    assert bench.factory.made == [0, 1]
    assert all(bench.all_there(query, 0) for query in (A, B, "changed"))
    assert all(bench.all_there(query, 1) for query in (C, D))


async def test_what_is_new_outside_of_subscriptions_is_told_to_every_task_that_runs(tmp_path: Path) -> None:
    async with running(tmp_path, A, C) as bench:
        await until(lambda: bench.numbers(A, 0) and bench.numbers(C, 1))
        bench.factory.brokers[0].freeze()
        await until(lambda: bench.herder.undelivered > 3)
        async with anyio.create_task_group() as group:
            group.start_soon(bench.herder.stop_task, 0)
            await until(lambda: bench.upstream.open == [C])
            bench.apply({A: "", C: ""})
            # One that stops needs the brokers' new password as much as any other.
            assert sorted(bench.factory.updated) == [0, 1]
            bench.factory.brokers[0].thaw()
        await bench.stop()


async def test_the_set_of_tasks_shrinks_and_grows_while_it_runs(tmp_path: Path) -> None:
    async with running(tmp_path, A, B, C) as bench:
        await until(lambda: bench.numbers(A, 0) and bench.numbers(B, 0) and bench.numbers(C, 1))
        with anyio.fail_after(10):
            await bench.herder.stop_task(0)
        assert bench.upstream.open == [C]
        assert bench.all_there(A, 0)  # at once: that is what was waited for
        assert bench.all_there(B, 0)
        assert sorted(bench.factory.forgotten) == sorted([A, B])
        assert [task.number for task in bench.herder.tasks] == [1]

        await bench.herder.start_task(0)
        before = len(bench.numbers(A, 0))
        await until(lambda: len(bench.numbers(A, 0)) > before)
        assert bench.upstream.order.count(f"open {C}") == 1
        await bench.stop()
    assert bench.factory.made == [0, 1, 0]
    assert bench.herder.undelivered == bench.factory.budget.used == 0


async def test_all_tasks_may_stop_and_one_come_later(tmp_path: Path) -> None:
    async with running(tmp_path, A, tasks=[]) as bench:
        await settle()
        assert not bench.ended.is_set()
        await bench.herder.start_task(0)
        await until(lambda: bench.numbers(A, 0))
        await bench.herder.stop_task(0)
        assert bench.herder.tasks == ()
        assert not bench.ended.is_set()
        await bench.stop()


async def test_a_task_that_comes_back_waits_for_the_one_before_to_end(tmp_path: Path) -> None:
    async with running(tmp_path, A) as bench:
        await until(lambda: bench.numbers(A, 0))
        bench.factory.brokers[0].freeze()
        await until(lambda: bench.herder.undelivered > 3)
        with anyio.move_on_after(0.1) as waiting:
            await bench.herder.stop_task(0)
        assert waiting.cancelled_caught
        assert bench.states() == {A: State.STOPPED}  # nobody waits, and it goes on
        async with anyio.create_task_group() as group:
            group.start_soon(bench.herder.start_task, 0)
            group.start_soon(bench.herder.start_task, 0)
            await settle()
            assert bench.factory.made == [0, 1]
            assert bench.upstream.open == []
            bench.factory.brokers[0].thaw()
        assert bench.factory.made == [0, 1, 0]
        assert bench.factory.forgotten == [A]  # before it was made anew
        await until(lambda: bench.upstream.open == [A])
        await bench.stop()
    assert bench.all_there(A, 0)


async def test_a_task_may_be_stopped_before_any_runs(tmp_path: Path) -> None:
    async with running(tmp_path, A, C, tasks=[]) as bench:
        herder = Herder(bench.config, bench.factory)
        await herder.start_task(0)
        await herder.start_task(1)
        async with anyio.create_task_group() as group:
            group.start_soon(herder.stop_task, 0)
            await settle()
            with anyio.fail_after(10):
                async with anyio.create_task_group() as whole:
                    whole.start_soon(herder.run)
                    await until(lambda: bench.factory.forgotten == [A] and bench.numbers(C, 1))
                    herder.stop()
        await bench.stop()
    assert f"open {A}" not in bench.upstream.order


async def test_a_change_reaches_a_task_that_starts_after_it(tmp_path: Path) -> None:
    async with running(tmp_path, A, C, tasks=[1]) as bench:
        await until(lambda: bench.numbers(C, 1))
        bench.apply({A: "changed", B: "", C: ""})
        assert set(bench.states()) == {C}
        await bench.herder.start_task(0)
        await until(lambda: bench.numbers("changed", 0) and bench.numbers(B, 0))
        bench.apply({A: "changed", C: ""})
        await until(lambda: bench.factory.forgotten == [B])
        await bench.stop()
    assert f"open {A}" not in bench.upstream.order


async def test_what_runs_already_or_is_none_is_left_alone(tmp_path: Path) -> None:
    async with running(tmp_path, A, tasks=[0]) as bench:
        await bench.herder.start_task(0)
        await bench.herder.stop_task(1)
        assert bench.factory.made == [0]
        for number in (-1, TASKS):
            with pytest.raises(ValueError, match=f"there is no task {number} of 2"):
                await bench.herder.start_task(number)
        await bench.stop()
        await bench.herder.start_task(1)
        assert bench.factory.made == [0]


@pytest.mark.parametrize("refused", [0, B])
async def test_a_task_that_cannot_be_made_leaves_the_others_as_they_are(
    tmp_path: Path, refused: str | int
) -> None:
    async with running(tmp_path, A, B, C, tasks=[1]) as bench:
        await until(lambda: bench.numbers(C, 1))
        bench.factory.refuses = {refused}
        with pytest.raises(RuntimeError, match=f"{refused} cannot be made"):
            await bench.herder.start_task(0)
        await until(lambda: [task.number for task in bench.herder.tasks] == [1])
        assert bench.factory.budget.going_on == 1  # what was made of it holds nothing
        assert bench.factory.forgotten == ([] if refused == 0 else [A])
        assert bench.upstream.order == [f"open {C}"]

        bench.factory.refuses = set()
        await bench.herder.start_task(0)
        await until(lambda: bench.numbers(A, 0) and bench.numbers(B, 0))
        assert bench.factory.told[C].reconnects == []
        await bench.stop()


async def test_a_subscription_that_cannot_be_made_changes_no_other(tmp_path: Path) -> None:
    async with running(tmp_path, A, C) as bench:
        await until(lambda: bench.numbers(A, 0) and bench.numbers(C, 1))
        bench.factory.refuses = {D}
        with pytest.raises(RuntimeError, match=f"{D} cannot be made"):
            bench.apply({A: "changed", D: ""})
        await settle()
        assert bench.states() == {A: State.LIVE, C: State.LIVE}
        assert sorted(bench.upstream.order) == sorted([f"open {A}", f"open {C}"])
        await bench.stop()


async def test_cancelled_it_knows_what_is_not_in_kafka(tmp_path: Path) -> None:
    async with running(tmp_path, A, C) as bench:
        await until(lambda: bench.numbers(A, 0) and bench.numbers(C, 1))
        for brokers in bench.factory.brokers:
            brokers.freeze()
        await until(lambda: bench.herder.undelivered > 10)
        with anyio.move_on_after(0.1):
            await bench.herder.stop_task(0)
        bench.herder.stop()
        await until(lambda: bench.upstream.open == [])
        left = bench.herder.undelivered
    assert not bench.ended.is_set()
    of_each = {task.number: task.undelivered for task in bench.herder.tasks}
    assert min(of_each.values()) > 0  # of the one that was to stop, too
    assert bench.herder.undelivered == left == of_each[0] + of_each[1]


async def test_a_task_that_ends_though_nobody_stopped_it_ends_the_process(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path, A, C) as bench:
            bench.factory.brokers[0].start_errors.append(asyncio.CancelledError())
            await anyio.sleep(5)

    with pytest.raises(BaseExceptionGroup) as caught:
        await run()
    assert caught.group_contains(TaskEnded, match="source task 0 ended by itself")
