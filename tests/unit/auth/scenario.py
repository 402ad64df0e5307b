"""
A keeper in a scenario: what its source answers, what its subscribers say of the token, and time that passes.

::

    async with given(TOKEN, BUSY, life=60) as it:
        await it.passes(46)
        assert it.fetches == 2
        await it.rejects("a")
        assert await it.generation_for("b") == 1
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import anyio
from anyio.abc import TaskGroup

from connector.auth import Grant, Keeper, Token
from connector.auth.token import TokenState

from .fakes import FakeObserver, FakeSource, FakeTime, keeping, settle

TOKEN = None
"""The answer that gives a new token."""

Answer = Grant | Exception | anyio.Event | str | None


class Asked:
    """Somebody who asked for a token, and has it once it may be had."""

    token: Token | None = None

    @property
    def generation(self) -> int | None:
        """The generation of what was given; ``None``: still waiting."""
        return self.token.generation if self.token else None


class Scenario:
    """One keeper; subscribers go by name, and speak of the current token unless told otherwise."""

    def __init__(self, keeper: Keeper, source: FakeSource, group: TaskGroup) -> None:
        self.keeper = keeper
        self.source = source
        self._group = group

    # What happens

    async def passes(self, seconds: float) -> None:
        """Let time pass; whatever is due happens at its time."""
        await self.source.time.advance(seconds)

    async def settles(self) -> None:
        """Let everybody go on until they wait for something; no time passes."""
        await settle()

    async def rejects(self, by: str = "", generation: int | None = None) -> None:
        """``by`` had the token rejected."""
        self.keeper.reject(self.generation if generation is None else generation, by=by)
        await settle()

    async def accepts(self, by: str = "", generation: int | None = None) -> None:
        """``by`` had the token accepted."""
        self.keeper.accept(self.generation if generation is None else generation, by=by)
        await settle()

    async def renewed(self) -> None:
        """The source has other credentials."""
        self.keeper.renewed()
        await settle()

    async def source_changes(self, answer: Answer) -> None:
        """The source gives ``answer`` from now on, and says so by itself."""
        self.source.default = answer
        self.source.changes.set()
        await settle()

    async def each_second(self, seconds: int, act: Callable[[], None]) -> None:
        """Do ``act`` and let a second pass, again and again."""
        for _ in range(seconds):
            act()
            await self.passes(1)

    def with_each_token(self, act: Callable[[int], None]) -> Callable[[], None]:
        """Return what calls ``act`` with the generation once it is another one."""
        last = 0

        def look() -> None:
            nonlocal last
            if self.generation > last:
                last = self.generation
                act(last)

        return look

    async def asks(self, *, newer_than: int = 0, by: str = "") -> Asked:
        """``by`` asks for a token, and waits for it while the test goes on."""
        asked = Asked()

        async def wait() -> None:
            asked.token = await self.keeper.newer_than(newer_than, by=by)

        self._group.start_soon(wait)
        await settle()
        return asked

    async def generation_for(self, by: str) -> int | None:
        """Return what ``by`` is given at once; ``None``: it would have to wait."""
        asked = Asked()

        async def wait() -> None:
            asked.token = await self.keeper.token(by=by)

        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await settle()
            group.cancel_scope.cancel()
        return asked.generation

    # How it stands

    @property
    def now(self) -> float:
        """The time."""
        return self.source.time.now

    @property
    def fetches(self) -> int:
        """How often the source was asked."""
        return len(self.source.fetched_at)

    @property
    def gaps(self) -> list[float]:
        """Seconds from each fetch to the next."""
        return [later - earlier for earlier, later in pairwise(self.source.fetched_at)]

    def fetches_in_last(self, seconds: float) -> int:
        """How often the source was asked within the last ``seconds``."""
        return sum(moment > self.now - seconds for moment in self.source.fetched_at)

    @property
    def most_in_a_minute(self) -> int:
        """The greatest number of fetches within any 60 seconds."""
        moments = self.source.fetched_at
        return max(sum(start <= moment < start + 60 for moment in moments) for start in moments)

    @property
    def generation(self) -> int:
        """Of the current token; 0: there is none yet."""
        return self.keeper.status.generation

    @property
    def state(self) -> TokenState:
        """See `TokenStatus`."""
        return self.keeper.status.state

    @property
    def error(self) -> str | None:
        """See `TokenStatus`."""
        return self.keeper.status.last_error

    @property
    def alarm(self) -> bool:
        """See `TokenStatus`."""
        return self.keeper.status.alarm


@asynccontextmanager
async def given(
    *answers: Answer,
    then: Answer = TOKEN,
    life: float | None = 100.0,
    rng: Callable[[], float] = lambda: 0.5,
    observer: FakeObserver | None = None,
    source: FakeSource | None = None,
) -> AsyncIterator[Scenario]:
    """
    Run a keeper whose source gives ``answers`` one after the other, ``then`` always the same; tokens live for
    ``life`` seconds (``None``: not known). ``source`` is another one than a `FakeSource` of these.
    """
    source = source or FakeSource(FakeTime(), life=life, script=list(answers), default=then)
    async with keeping(source, observer=observer, rng=rng) as keeper, anyio.create_task_group() as group:
        yield Scenario(keeper, source, group)
        group.cancel_scope.cancel()
