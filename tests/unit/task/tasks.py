"""
A task that runs, with subscriptions that come and go.

Each subscription has numbers of its own, and its rows go to topic ``t``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import msgspec

from connector.publish import EventsTopic
from connector.records.record_builder import RecordBuilder
from connector.records.record_spec import RecordSpec
from connector.records.topics import TopicTemplate
from connector.subscription import MemoryBudget
from connector.task import Shared, State, SubscriptionRunner, Task
from tests.unit.publish.fakes import FakeBrokers
from tests.unit.task.fakes import Told
from tests.unit.task.scenario import brokers_with, publisher_on, settings_of
from tests.unit.task.upstream import FakeUpstream, Peer, PeerGoneError

EVENTS = "events"


class Flows:
    """Sends numbered rows to each subscription; ``order`` lists what opened and closed, by document."""

    def __init__(self) -> None:
        self.sent: dict[str, int] = {}
        self.padding: dict[str, int] = {}
        self.order: list[str] = []
        self.open: list[str] = []

    async def __call__(self, peer: Peer) -> None:
        query = (await peer.greet()).partition("{")[2].strip("} \n")
        self.order.append(f"open {query}")
        self.open.append(query)
        try:
            while True:
                number = self.sent.get(query, 0)
                padding = "x" * self.padding.get(query, 0)
                row = f'{{"s":"{query}","n":{number},"x":"{padding}"}}'
                await peer.send(f'{{"type":"next","id":"1","payload":{{"data":{{"rows":[{row}]}}}}}}')
                self.sent[query] = number + 1
                with anyio.move_on_after(0.002):
                    await peer.wait_closed()
        except PeerGoneError:
            self.order.append(f"closed {query}")
            self.open.remove(query)


class Bench:
    """A task that runs, and all around it."""

    def __init__(
        self, upstream: FakeUpstream, brokers: FakeBrokers, budget: MemoryBudget, *, events: bool = False
    ) -> None:
        self.brokers = brokers
        self.budget = budget
        self.told: dict[str, Told] = {}
        self.gone: list[str] = []
        self.shared = Shared(keeper=None, budget=budget, connection=upstream, clock=anyio.current_time)
        self.publisher = publisher_on(brokers)
        self.events = EventsTopic(self.publisher, EVENTS, connector="c") if events else None
        self.task = Task(0, (), self.publisher, gone=self.gone.append, events=self.events)
        self.ended = anyio.Event()

    def runner(
        self, name: str, *, query: str | None = None, topic: str = "t", reopen_pause: float = 0.0
    ) -> SubscriptionRunner:
        """A subscription; its document is ``query``, or its name."""
        template = TopicTemplate(topic, {})
        settings = settings_of(
            name,
            query=f"subscription {{ {query or name} }}",
            topic=topic,
            reopen_pause=reopen_pause,
            records=RecordBuilder(RecordSpec(topic=template)),
            topics=(topic, EVENTS) if self.events else (topic,),
        )
        self.told[query or name] = told = Told()
        return SubscriptionRunner(
            settings,
            shared=self.shared,
            publisher=self.publisher,
            observer=told,
            events=self.events.of(name, told) if self.events else None,
        )

    def numbers(self, query: str) -> list[int]:
        """The numbers of the rows that the brokers hold of one document, in the order published."""
        rows = [msgspec.json.decode(value) for value in self.brokers.values()]
        return [row["n"] for row in rows if row["s"] == query]

    def states(self) -> dict[str, State]:
        return {runner.name: runner.status.state for runner in self.task.runners}

    async def run(self) -> None:
        await self.task.run()
        self.ended.set()

    async def stop(self) -> None:
        self.task.stop()
        await self.until_ended()

    async def until_ended(self) -> None:
        with anyio.fail_after(30):
            await self.ended.wait()


@asynccontextmanager
async def running(
    *names: str, budget: int = 10**9, events: bool = False
) -> AsyncIterator[tuple[Bench, Flows]]:
    """A task that keeps ``names`` up; whatever is left is cancelled. ``events``: of gaps are written."""
    flows = Flows()
    upstream = FakeUpstream(flows)
    bench = Bench(upstream, brokers_with("t", EVENTS), MemoryBudget(budget), events=events)
    for name in names:
        bench.task.add(bench.runner(name))
    async with anyio.create_task_group() as group:
        group.start_soon(upstream.serve)
        group.start_soon(bench.run)
        yield bench, flows
        group.cancel_scope.cancel()


def all_there(bench: Bench, flows: Flows, query: str) -> bool:
    """Whether every row of ``query`` that was sent is published once and in order."""
    return bench.numbers(query) == list(range(flows.sent[query]))
