"""Time and a token source that tests move by hand."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
from anyio.lowlevel import checkpoint

from connector.auth import Grant, Keeper
from connector.auth.grant import GrantRefused, GrantUnavailable
from connector.auth.token_use import ENDPOINT, TokenUse

REFUSED = GrantRefused(
    "the token endpoint answered HTTP 401, invalid_client", status=401, code="x", remedy="r"
)
BUSY = GrantUnavailable("the token endpoint answered HTTP 503, not an OAuth answer", status=503)


class FakeTime:
    """A clock that stands still until `advance`."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        self._sleepers: list[tuple[float, anyio.Event]] = []

    def clock(self) -> float:
        """Return the time."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Wait until the time has moved that far."""
        sleeper = (self.now + seconds, anyio.Event())
        self._sleepers.append(sleeper)
        try:
            await sleeper[1].wait()
        finally:
            self._sleepers.remove(sleeper)

    async def advance(self, seconds: float) -> None:
        """Move the time, stopping wherever somebody is to wake."""
        end = self.now + seconds
        await settle()
        while (moment := min((at for at, _ in self._sleepers), default=math.inf)) <= end:
            self.now = max(self.now, moment)
            for at, bell in self._sleepers:
                if at <= self.now:
                    bell.set()
            await settle()
        self.now = end
        await settle()


async def settle() -> None:
    """Let every task run until it waits for something."""
    for _ in range(15):
        await checkpoint()


@dataclass
class FakeSource:
    """
    Answers each fetch by the next of ``script``, then by ``default`` for ever.

    An answer is a token (a new one for each fetch where ``None``), an error, or an event to wait for
    before giving a new token.
    """

    time: FakeTime
    life: float | None = 100.0
    script: list[Grant | Exception | anyio.Event | str | None] = field(default_factory=list)
    default: Grant | Exception | anyio.Event | str | None = None
    fetched_at: list[float] = field(default_factory=list)
    changes: anyio.Event = field(default_factory=anyio.Event)

    async def fetch(self) -> Grant:
        """Give what the script says."""
        self.fetched_at.append(self.time.now)
        number = len(self.fetched_at)
        answer = self.script.pop(0) if self.script else self.default
        await checkpoint()
        if isinstance(answer, anyio.Event):
            await answer.wait()
            answer = None
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Grant):
            return answer
        return Grant(access_token=answer or f"token-{number}", expires_in=self.life)

    async def changed(self) -> None:
        """Return once a test says so."""
        await self.changes.wait()
        self.changes = anyio.Event()


@dataclass
class FakeObserver:
    """Remembers what it was told, in order."""

    told: list[str] = field(default_factory=list)

    def fetched(self, outcome: str) -> None:
        """Remember an outcome."""
        self.told.append(outcome)

    def token_changed(self, value: str) -> None:
        """Remember a token."""
        self.told.append(f"learned {value}")


@asynccontextmanager
async def keeping(
    source: FakeSource,
    *,
    observer: FakeObserver | None = None,
    use: TokenUse = ENDPOINT,
    rng: Callable[[], float] = lambda: 0.5,
) -> AsyncIterator[Keeper]:
    """Run a keeper on fake time."""
    time = source.time
    keeper = Keeper(source, observer=observer, use=use, clock=time.clock, rng=rng, sleep=time.sleep)
    async with anyio.create_task_group() as group:
        group.start_soon(keeper.run)
        await settle()
        yield keeper
        group.cancel_scope.cancel()
