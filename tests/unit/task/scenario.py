"""
The scenario of these tests: subscriptions of an upstream in memory, the real publisher, brokers in memory.

Rows are numbered; what the brokers hold is compared with what the upstream sent. Time jumps.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import anyio
import msgspec

from connector.kafka import KafkaSettings
from connector.publish import DeadLetterOrigin, DeadLetters, Publisher, PublishSettings
from connector.records.record_builder import RecordBuilder
from connector.records.record_spec import RecordSpec
from connector.records.row_finder import RowFinder
from connector.records.topics import TopicTemplate
from connector.subscription import GraphQLRequest, MemoryBudget, SessionSettings
from connector.task import (
    KeepAlivePolicy,
    Shared,
    State,
    SubscriptionRunner,
    SubscriptionSettings,
    Tolerance,
)
from connector.task.connect_rate import ConnectRateLimiter
from connector.task.rotations import RotationLimiter
from connector.upstream import Placement, Target
from tests.unit.publish.fakes import FakeBrokers, Record
from tests.unit.task.fakes import FakeKeeper, Told
from tests.unit.task.upstream import FakeUpstream, Peer

Handler = Callable[[Peer], Awaitable[None]]

DLQ = "dlq"
ORIGIN = DeadLetterOrigin(connector="c", task=0)
PATIENT = KeepAlivePolicy(keepalive_timeout=1e6, probe=False)
TARGET = Target(url="ws://upstream/graphql", placements=(Placement(place="url", name="token"),))


def settings_of(
    name: str = "s",
    *,
    rows: tuple[str, ...] = ("rows",),
    topic: str = "t",
    dead_letter_topic: str | None = None,
    query: str = "subscription { rows }",
    object_rows: bool = False,
    **changes: Any,
) -> SubscriptionSettings:
    """Settings of a subscription whose rows are keyed by ``n``; ``changes`` are of its other fields."""
    template = TopicTemplate(topic, {}, forbidden=frozenset({dead_letter_topic or ""}))
    settings = SubscriptionSettings(
        name=name,
        request=GraphQLRequest(query),
        rows=RowFinder(rows, object_rows=object_rows),
        records=RecordBuilder(RecordSpec(topic=template, key=(("n",),))),
        topics=tuple(one for one in (template.static, dead_letter_topic) if one),
        headers=(("connector", b"c"),),
        streams=1,
        target=TARGET,
        session=SessionSettings(),
        keep_alive=PATIENT,
        reopens=True,
        rows_limit=None,
        no_data_alarm=None,
        tolerance=Tolerance(),
    )
    return replace(settings, **changes)


async def until(holds: Callable[[], object], *, within: float = 60.0, every: float = 0.002) -> None:
    """Return once ``holds``, looked at ``every`` so many seconds of the loop; fails ``within`` those."""
    with anyio.fail_after(within):
        while not holds():  # noqa: ASYNC110 - conditions without an event
            await anyio.sleep(every)


def numbered(number: int, size: int = 0) -> str:
    """Return a result with one row that has a number."""
    return f'{{"type":"next","id":"1","payload":{{"data":{{"rows":[{{"n":{number},"x":"{"x" * size}"}}]}}}}}}'


def said(payload: str) -> str:
    """Return a result with this payload."""
    return f'{{"type":"next","id":"1","payload":{payload}}}'


COMPLETE = '{"type":"complete","id":"1"}'


class Flow:
    """
    A handler that sends numbered rows, going on where the last session ended, until there were ``limit``;
    ``pace`` is the seconds between them.
    """

    def __init__(self, pace: float = 0.01, *, size: int = 2000, limit: int | None = None) -> None:
        self.pace = pace
        self.size = size
        self.limit = limit
        self.sent = 0
        self.tokens: list[str] = []

    @property
    def sessions(self) -> int:
        return len(self.tokens)

    async def __call__(self, peer: Peer) -> None:
        await peer.greet()
        self.tokens.append(peer.token)
        while self.sent != self.limit:
            await peer.send(numbered(self.sent, self.size))
            self.sent += 1
            await anyio.sleep(self.pace)
        await peer.wait_closed()


async def quiet(peer: Peer) -> None:
    """Acknowledge and say nothing more."""
    await peer.greet()
    await peer.wait_closed()


class KafkaSilent:
    """Satisfies the publisher's observer."""

    def kafka_state(self, state: str) -> None:
        pass

    def producer_rebuilt(self) -> None:
        pass

    def kafka_refused(self, code: str) -> None:
        pass

    def batch_refused(self, reason: str) -> None:
        pass


def publisher_on(brokers: FakeBrokers) -> Publisher:
    kafka = KafkaSettings(bootstrap_servers="x:1", client_id="c")
    return Publisher(kafka, PublishSettings(), KafkaSilent(), brokers=brokers)


def brokers_with(*topics: str, bad: set[int] | None = None) -> FakeBrokers:
    """Brokers with these topics; ``t``, where it is among them, refuses the rows of these numbers."""

    def refuses(record: Record) -> str | None:
        return "invalid" if bad and msgspec.json.decode(record.value)["n"] in bad else None

    brokers = FakeBrokers()
    for topic in topics:
        brokers.create(topic, refuses=refuses if topic == "t" else lambda record: None)
    return brokers


def numbers_in(brokers: FakeBrokers, topic: str = "t") -> list[int]:
    """The numbers of the rows that the brokers hold, in the order published."""
    return [msgspec.json.decode(value)["n"] for value in brokers.values(topic)]


class Scene:
    """A subscription that runs, and all around it."""

    def __init__(
        self,
        settings: SubscriptionSettings,
        upstream: FakeUpstream,
        *,
        brokers: FakeBrokers,
        keeper: FakeKeeper | None,
        budget: MemoryBudget,
        dead_letter_topic: str | None,
        rotations: RotationLimiter | None = None,
        connect_rate: ConnectRateLimiter | None = None,
    ) -> None:
        self.upstream = upstream
        self.brokers = brokers
        self.budget = budget
        self.told = Told()
        self.publisher = publisher_on(brokers)
        self.shared = Shared(
            keeper=keeper,
            budget=budget,
            hide=lambda frame: frame.replace(b"s3cret", b"***"),
            connection=upstream,
            clock=anyio.current_time,
            rotations=rotations or RotationLimiter(clock=anyio.current_time),
            connect_rate=connect_rate or ConnectRateLimiter(),
        )
        letters = DeadLetters(self.publisher, dead_letter_topic, ORIGIN) if dead_letter_topic else None
        self.runner = SubscriptionRunner(
            settings,
            shared=self.shared,
            publisher=self.publisher,
            observer=self.told,
            dead_letters=letters,
        )
        self.ended = anyio.Event()

    @property
    def state(self) -> State:
        return self.runner.status.state

    @property
    def last_error(self) -> str:
        """The last error, as text; empty where there is none."""
        return self.runner.status.last_error or ""

    @property
    def numbers(self) -> list[int]:
        return numbers_in(self.brokers)

    async def run(self) -> None:
        await self.runner.run()
        self.ended.set()

    async def until_state(self, state: State) -> None:
        await until(lambda: self.state is state)

    async def stop(self) -> None:
        """Stop, and wait for the end."""
        self.runner.stop()
        with anyio.fail_after(60):
            await self.ended.wait()
        assert self.told.states[-1] is State.STOPPED

    def nothing_is_left(self) -> bool:
        """Whether all that was received is through, and its memory given back."""
        return (self.runner.undelivered, self.budget.used) == (0, 0)


@asynccontextmanager
async def subscribed(
    handler: Handler,
    *,
    brokers: FakeBrokers | None = None,
    keeper: FakeKeeper | None = None,
    budget: MemoryBudget | None = None,
    dead_letter_topic: str | None = None,
    **settings: Any,
) -> AsyncIterator[Scene]:
    """Keep a subscription of ``handler`` up; whatever is left is cancelled."""
    scene = Scene(
        settings_of(dead_letter_topic=dead_letter_topic, **settings),
        FakeUpstream(handler),
        brokers=brokers or brokers_with("t"),
        keeper=keeper,
        budget=budget or MemoryBudget(10**9),
        dead_letter_topic=dead_letter_topic,
    )
    async with anyio.create_task_group() as group:
        group.start_soon(scene.upstream.serve)
        group.start_soon(scene.publisher.run)
        group.start_soon(scene.run)
        yield scene
        group.cancel_scope.cancel()
