"""One attempt against a server on the loopback, and what it told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from connector.auth import Token
from connector.records.seam import RowSource
from connector.subscription import (
    Backpressure,
    Delivered,
    GraphQLRequest,
    MemoryBudget,
    ProtocolViolation,
    RawPayload,
    SessionSettings,
    Subprotocol,
    Transport,
)
from connector.task import KeepAlivePolicy
from connector.task.attempt import Attempt
from connector.task.attempt_end import AttemptEnd
from connector.task.attempt_settings import AttemptSettings
from connector.task.intake import Source
from connector.task.progress import Progress
from connector.task.token_keeper import TokenKeeper
from connector.upstream import Target
from tests.unit.subscription.driving import REQUEST, number_of
from tests.unit.subscription.servers import (
    Stand,
    greet,
    row,
    until,
    websocket_server,
)

PATIENT = KeepAlivePolicy(keepalive_timeout=60.0, probe=False)


class Events:
    """Satisfies `AttemptEvents`."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.live_since: float | None = None

    def reached(self, attempt: Attempt, progress: Progress) -> None:
        if progress is Progress.LIVE:
            self.live_since = attempt.live_since
        self.said.append(progress.name.lower())

    def closing(self, attempt: Attempt, cause: str) -> None:
        self.said.append(f"closing {cause}")

    def closed(self, attempt: Attempt, cause: str) -> None:
        self.said.append(f"closed {cause}")


class Counter:
    """Satisfies `Intake`; ``react`` is called with each result, and says whether that had data."""

    def __init__(self, budget: MemoryBudget, backpressure: Backpressure | None = None) -> None:
        self.numbers: list[int] = []
        self.violations: list[ProtocolViolation] = []
        self.react: Callable[[Delivered], bool] = lambda result: True
        self._budget = budget
        self._backpressure = backpressure or Backpressure(budget.open(lambda: None))

    @property
    def receive(self) -> Callable[[Delivered, Source], bool]:
        return self._receive

    def _receive(self, result: Delivered, source: Source) -> bool:
        has_data = self.react(result)
        self.numbers.append(number_of(result))
        return has_data

    def open_source(self) -> RowSource:
        return RowSource(1)

    def close_source(self, source: RowSource) -> None:
        pass

    def violated(self, error: ProtocolViolation) -> None:
        self.violations.append(error)

    async def wait_for_room(self) -> None:
        await self._budget.wait_for_room()

    def backpressure(self) -> Backpressure:
        return self._backpressure


class Running:
    """An attempt that runs, and in the end how it ended."""

    def __init__(self, attempt: Attempt, events: Events, intake: Counter) -> None:
        self.attempt = attempt
        self.events = events
        self.intake = intake
        self.end: AttemptEnd | None = None
        self.scope = anyio.CancelScope()

    async def run(self) -> None:
        with self.scope:
            self.end = await self.attempt.run()

    async def ended(self) -> AttemptEnd:
        await until(lambda: self.end)
        assert self.end is not None
        return self.end


@asynccontextmanager
async def running(
    url: str,
    *,
    keep_alive: KeepAlivePolicy = PATIENT,
    held: Token | None = None,
    keeper: TokenKeeper | None = None,
    reopens: bool = True,
    intake: Counter | None = None,
    finish: str | None = None,
    request: GraphQLRequest = REQUEST,
    steady_after: float = 0.0,
    **settings: Any,
) -> AsyncIterator[Running]:
    """Run an attempt; whatever is left of it is cancelled."""
    events, intake = Events(), intake or Counter(MemoryBudget(10**9))
    attempt = Attempt(
        AttemptSettings(
            name="s", request=request, keep_alive=keep_alive, reopens=reopens, steady_after=steady_after
        ),
        connection=Transport(
            Target(url=url).opening(held.value if held else None),
            SessionSettings(**settings),
            payload_type=RawPayload,
        ),
        token=held,
        keeper=keeper,
        intake=intake,
        events=events,
        rng=lambda: 0.0,
    )
    if finish:
        attempt.finish(finish)
    one = Running(attempt, events, intake)
    async with anyio.create_task_group() as group:
        group.start_soon(one.run)
        yield one
        group.cancel_scope.cancel()


async def quiet(connection: ServerConnection) -> None:
    """Acknowledge and say nothing more."""
    await greet(connection)
    await connection.wait_closed()


async def flowing(connection: ServerConnection) -> None:
    """Send rows until the client closes."""
    await greet(connection)
    try:
        for number in range(100_000):
            await connection.send(row(connection, number, size=2000))
            await asyncio.sleep(0.001)
    except ConnectionClosed:
        return


def served(
    handler: Callable[[ServerConnection], Awaitable[None]], subprotocol: Subprotocol
) -> AbstractAsyncContextManager[Stand]:
    """Serve ``handler`` on one subprotocol."""
    return websocket_server(handler, speaks=[subprotocol])


OPENING = ["connecting", "initialising", "subscribing"]
