"""An upstream that sends one stream of numbered rows to every session there is, as a real one does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio

from connector.auth import Token
from connector.records.record_builder import RecordBuilder
from connector.records.record_spec import RecordSpec
from connector.records.seam import SeamSpec
from connector.records.topics import TopicTemplate
from connector.subscription import MemoryBudget
from connector.task.connect_rate import ConnectRateLimiter
from connector.task.rotation_policy import Rotation
from connector.task.rotations import RotationLimiter
from tests.unit.publish.fakes import FakeBrokers
from tests.unit.task.fakes import FakeKeeper
from tests.unit.task.scenario import Scene, brokers_with, numbers_in, settings_of
from tests.unit.task.upstream import FakeUpstream, Peer

OVERLAP = Rotation(kind="overlap", overlap=5.0, overlap_max=30.0)


def rows(*numbers: int) -> str:
    """Return a result with these rows, made the same whoever gets it."""
    body = ",".join(f'{{"n":{number}}}' for number in numbers)
    return f'{{"type":"next","id":"1","payload":{{"data":{{"rows":[{body}]}}}}}}'


class Broadcast:
    """
    A handler: row after row, one every ``pace`` seconds from the first session on, to all that are open.

    By the order in which they came, sessions are ``lags`` seconds late (0 where none is given), begin with
    ``snapshots`` (so many of the rows before), and are ``mute``: they get no row at all.
    """

    def __init__(
        self,
        pace: float = 0.2,
        *,
        lags: dict[int, float] | None = None,
        snapshots: dict[int, int] | None = None,
        mute: frozenset[int] = frozenset(),
    ) -> None:
        self.pace = pace
        self.lags = lags or {}
        self.snapshots = snapshots or {}
        self.mute = mute
        self.began_at: float | None = None
        self.sessions: list[str] = []
        self.stops_at = float("inf")

    @property
    def sent(self) -> int:
        """How many rows the stream has brought."""
        if self.began_at is None:
            return 0
        return int((min(anyio.current_time(), self.stops_at) - self.began_at) / self.pace)

    async def __call__(self, peer: Peer) -> None:
        number = len(self.sessions)
        self.sessions.append(peer.token)
        await peer.greet()
        if self.began_at is None:
            self.began_at = anyio.current_time()
        if number in self.mute:
            await peer.wait_closed()
            return
        lag = self.lags.get(number, 0.0)
        nxt = self.sent - self.snapshots.get(number, 0)
        while True:
            due_at = self.began_at + (nxt + 1) * self.pace
            if due_at > self.stops_at:
                await peer.wait_closed()
                return
            await anyio.sleep(max(0.0, due_at + lag - anyio.current_time()))
            await peer.send(rows(nxt))
            nxt += 1


class Rotating:
    """A subscription whose tokens follow each other, and what the brokers have of it in the end."""

    def __init__(self, scene: Scene, stream: Broadcast, keeper: FakeKeeper) -> None:
        self.scene = scene
        self.stream = stream
        self.keeper = keeper

    @property
    def numbers(self) -> list[int]:
        return numbers_in(self.scene.brokers)

    async def whole(self) -> None:
        """Stop, and see that each row that was sent is there once, in order."""
        assert await self.outcome() == ([], [])
        assert self.numbers == sorted(self.numbers)

    async def outcome(self) -> tuple[list[int], list[int]]:
        """Let what was sent arrive and stop; return the rows that are missing, and those there twice."""
        await anyio.sleep(0.001)
        self.stream.stops_at = anyio.current_time()
        await anyio.sleep(20.0)
        await self.scene.stop()
        numbers, sent = self.numbers, self.stream.sent
        missing = sorted(set(range(sent)) - set(numbers))
        twice = sorted({one for one in numbers if numbers.count(one) > 1})
        return missing, twice


def token_of(generation: int, *, lives: float) -> Token:
    """Return token ``t1``, ``t2``, …, that lives so many seconds of the loop's time from now on."""
    return Token(
        value=f"t{generation}",
        generation=generation,
        expires_at=anyio.current_time() + lives,
        life=lives,
    )


async def renew(keeper: FakeKeeper, *, lives: float, ahead: float) -> None:
    """Put a new token ``ahead`` seconds before the end of the one before, for ever."""
    generation = 1
    while True:
        await anyio.sleep(lives - ahead)
        generation += 1
        keeper.put(token_of(generation, lives=lives))


@asynccontextmanager
async def rotating(
    stream: Broadcast,
    *,
    lives: float = 60.0,
    ahead: float | None = None,
    rotation: Rotation = OVERLAP,
    brokers: FakeBrokers | None = None,
    budget: MemoryBudget | None = None,
    handler: Callable[[Peer], Any] | None = None,
    connect_rate: ConnectRateLimiter | None = None,
    **settings: Any,
) -> AsyncIterator[Rotating]:
    """
    Keep a subscription of ``stream`` up, with tokens that live ``lives`` seconds; each comes ``ahead``
    seconds before the end of the one before (``None``: half of its life).
    """
    keeper = FakeKeeper(token_of(1, lives=lives))
    seam = settings.get("seam", SeamSpec())
    spec = RecordSpec(topic=TopicTemplate("t", {}), key=(("n",),), identity=seam.identity)
    scene = Scene(
        settings_of(rotation=rotation, records=RecordBuilder(spec), **settings),
        FakeUpstream(handler or stream),
        brokers=brokers or brokers_with("t"),
        keeper=keeper,
        budget=budget or MemoryBudget(10**9),
        dead_letter_topic=None,
        rotations=RotationLimiter(rotation, clock=anyio.current_time),
        connect_rate=connect_rate,
    )
    async with anyio.create_task_group() as group:
        group.start_soon(scene.upstream.serve)
        group.start_soon(scene.publisher.run)
        group.start_soon(scene.run)
        group.start_soon(lambda: renew(keeper, lives=lives, ahead=lives / 2 if ahead is None else ahead))
        yield Rotating(scene, stream, keeper)
        group.cancel_scope.cancel()
