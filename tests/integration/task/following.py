"""
A subscription from end to end: a server on the loopback, the real publisher, brokers in memory.

Rows are numbered; what the brokers hold is compared with what the server sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import msgspec
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from connector.publish import DeadLetters
from connector.subscription import GraphQLRequest, MemoryBudget, SessionSettings
from connector.task import KeepAlivePolicy, Shared, State, SubscriptionRunner, Tolerance
from connector.task.token_keeper import TokenKeeper
from connector.upstream import Placement, Target
from tests.unit.publish.fakes import FakeBrokers
from tests.unit.subscription.driving import REQUEST
from tests.unit.subscription.servers import greet, until, websocket_server
from tests.unit.task.fakes import Told
from tests.unit.task.scenario import ORIGIN, brokers_with, numbered, publisher_on, settings_of

BY_URL = Placement(place="url", name="token")

ROW = 2000
"""Bytes of a row beside its number."""


class Upstream:
    """
    Sends numbered rows, going on where the last session ended, until there were ``limit``; ``pace`` is the
    seconds between them.
    """

    def __init__(self, pace: float = 0.002, *, size: int = ROW, limit: int | None = None) -> None:
        self.limit = limit
        self.pace = pace
        self.size = size
        self.sent = 0
        self.sessions = 0
        self.tokens: list[str] = []

    async def serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.tokens.append(connection.request.path.partition("token=")[2])
        await greet(connection)
        self.sessions += 1
        try:
            while self.sent != self.limit:
                await connection.send(numbered(self.sent, self.size))
                self.sent += 1
                await asyncio.sleep(self.pace)
            await connection.wait_closed()
        except ConnectionClosed:
            return


class Bench:
    """A subscription that runs, and all around it."""

    def __init__(
        self, brokers: FakeBrokers, runner: SubscriptionRunner, told: Told, budget: MemoryBudget
    ) -> None:
        self.brokers = brokers
        self.runner = runner
        self.told = told
        self.budget = budget
        self.ended = anyio.Event()

    @property
    def state(self) -> State:
        return self.runner.status.state

    @property
    def numbers(self) -> list[int]:
        """The numbers of the rows that the brokers hold, in the order published."""
        return [msgspec.json.decode(value)["n"] for value in self.brokers.values()]

    async def run(self) -> None:
        await self.runner.run()
        self.ended.set()

    async def until_state(self, state: State) -> None:
        await until(lambda: self.state is state)

    async def stop(self) -> None:
        """Stop, and wait for the end."""
        self.runner.stop()
        with anyio.fail_after(10):
            await self.ended.wait()
        assert self.told.states[-1] is State.STOPPED


@asynccontextmanager
async def following(
    url: str,
    *,
    brokers: FakeBrokers | None = None,
    keeper: TokenKeeper | None = None,
    budget: MemoryBudget | None = None,
    topic: str = "t",
    request: GraphQLRequest = REQUEST,
    rows: tuple[str, ...] = ("rows",),
    placement: Placement = BY_URL,
    keep_alive: KeepAlivePolicy | None = None,
    no_data_alarm: float | None = None,
    tolerance: Tolerance | None = None,
    dead_letter_topic: str | None = None,
    reopen_pause: float = 0.0,
    **session: Any,
) -> AsyncIterator[Bench]:
    """Keep a subscription of ``url`` up; whatever is left is cancelled."""
    brokers = brokers or brokers_with("t")
    told, budget = Told(), budget or MemoryBudget(10**9)
    publisher = publisher_on(brokers)
    settings = settings_of(
        topic=topic,
        rows=rows,
        dead_letter_topic=dead_letter_topic,
        request=request,
        target=Target(url=url, placements=(placement,)),
        session=SessionSettings(**{"close_timeout": 10.0, **session}),
        keep_alive=keep_alive or KeepAlivePolicy(keepalive_timeout=60.0, probe=False),
        no_data_alarm=no_data_alarm,
        tolerance=tolerance or Tolerance(),
        reopen_pause=reopen_pause,
    )
    runner = SubscriptionRunner(
        settings,
        shared=Shared(keeper=keeper, budget=budget, hide=lambda frame: frame.replace(b"s3cret", b"***")),
        publisher=publisher,
        observer=told,
        dead_letters=DeadLetters(publisher, dead_letter_topic, ORIGIN) if dead_letter_topic else None,
    )
    bench = Bench(brokers, runner, told, budget)
    async with anyio.create_task_group() as group:
        group.start_soon(publisher.run)
        group.start_soon(bench.run)
        yield bench
        group.cancel_scope.cancel()


def served(handler: Callable[[ServerConnection], Awaitable[None]]) -> Any:
    """Serve ``handler``."""
    return websocket_server(handler, close_timeout=10)
