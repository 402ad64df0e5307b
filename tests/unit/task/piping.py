"""A pipeline on the real publisher, brokers in memory, and attempts that feed it, as many as a test wants."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.abc import TaskGroup

from connector.auth import Token
from connector.errors import DataError
from connector.publish import DeadLetters
from connector.subscription import MemoryBudget
from connector.task import Shared
from connector.task.attempt import Attempt
from connector.task.attempt_end import AttemptEnd
from connector.task.attempt_settings import AttemptSettings
from connector.task.dialer import Dialer
from connector.task.pipeline import Pipeline
from connector.task.progress import Progress
from connector.task.status import StatusTracker
from tests.unit.publish.fakes import FakeBrokers
from tests.unit.task.fakes import FakeKeeper, Told
from tests.unit.task.scenario import (
    ORIGIN,
    Handler,
    brokers_with,
    numbers_in,
    publisher_on,
    settings_of,
    until,
)
from tests.unit.task.upstream import FakeUpstream


class Line:
    """
    A pipeline that runs. Satisfies `PipelineEvents` and `AttemptEvents`: ``said`` is what was told of
    attempts, by the generation of their token, ``short`` how much was held each time memory was short.
    """

    def __init__(
        self,
        group: TaskGroup,
        upstream: FakeUpstream,
        brokers: FakeBrokers,
        budget: MemoryBudget,
        dead_letter_topic: str | None,
        **settings: Any,
    ) -> None:
        self.upstream = upstream
        self.brokers = brokers
        self.budget = budget
        self.told = Told()
        self.status = StatusTracker(self.told)
        self.keeper = FakeKeeper()
        self.said: list[tuple[int, str]] = []
        self.short: list[int] = []
        self.failures: list[DataError] = []
        self.settings = settings_of(dead_letter_topic=dead_letter_topic, **settings)
        self.publisher = publisher_on(brokers)
        self._group = group
        self._dialer = Dialer(self.settings, upstream)
        letters = DeadLetters(self.publisher, dead_letter_topic, ORIGIN) if dead_letter_topic else None
        self.pipeline = Pipeline(
            self.settings,
            shared=Shared(keeper=self.keeper, budget=budget, clock=anyio.current_time),
            publisher=self.publisher,
            status=self.status,
            observer=self.told,
            dead_letters=letters,
            events=self,
        )

    def start(self, token: Token | None = None, **settings: Any) -> Started:
        """Start an attempt; ``settings`` are of its `AttemptSettings`."""
        defaults = {
            "name": self.settings.name,
            "request": self.settings.request,
            "keep_alive": self.settings.keep_alive,
            "reopens": True,
        }
        attempt = Attempt(
            AttemptSettings(**{**defaults, **settings}),
            connection=self._dialer.connection(token),
            token=token,
            keeper=self.keeper,
            intake=self.pipeline,
            events=self,
            rng=lambda: 0.0,
            clock=anyio.current_time,
        )
        started = Started(attempt)
        self._group.start_soon(started.run)
        return started

    @property
    def numbers(self) -> list[int]:
        return numbers_in(self.brokers)

    def said_of(self, generation: int) -> list[str]:
        return [what for told_of, what in self.said if told_of == generation]

    def _say(self, attempt: Attempt, what: str) -> None:
        self.said.append((attempt.token.generation if attempt.token else 0, what))

    def reached(self, attempt: Attempt, progress: Progress) -> None:
        assert attempt.progress is progress
        self._say(attempt, progress.name.lower())

    def closing(self, attempt: Attempt, cause: str) -> None:
        self._say(attempt, f"closing {cause}")

    def closed(self, attempt: Attempt, cause: str) -> None:
        self._say(attempt, f"closed {cause}")

    def memory_is_short(self, *, held: int, bound: int) -> None:
        self.short.append(held)

    def failed(self, error: DataError) -> None:
        self.failures.append(error)


class Started:
    """An attempt that runs, and in the end how it ended."""

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.end: AttemptEnd | None = None
        self.scope = anyio.CancelScope()

    async def run(self) -> None:
        with self.scope:
            self.end = await self.attempt.run()

    async def ended(self) -> AttemptEnd:
        await until(lambda: self.end)
        assert self.end is not None
        return self.end

    async def until_reached(self, progress: Progress) -> None:
        await until(lambda: self.attempt.progress >= progress)


@asynccontextmanager
async def piped(
    handler: Handler,
    *,
    brokers: FakeBrokers | None = None,
    budget: MemoryBudget | None = None,
    dead_letter_topic: str | None = None,
    **settings: Any,
) -> AsyncIterator[Line]:
    """Run a pipeline; its topic is ready. Whatever is left is cancelled."""
    upstream = FakeUpstream(handler)
    async with anyio.create_task_group() as group:
        line = Line(
            group,
            upstream,
            brokers or brokers_with("t"),
            budget or MemoryBudget(10**9),
            dead_letter_topic,
            **settings,
        )
        group.start_soon(upstream.serve)
        group.start_soon(line.publisher.run)
        group.start_soon(line.pipeline.run)
        for topic in line.settings.topics:
            await line.publisher.topic(topic).ready.wait()
        yield line
        group.cancel_scope.cancel()
