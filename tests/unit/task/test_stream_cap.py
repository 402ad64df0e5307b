"""Two subscriptions of one plan whose cap of streams nobody told of: which session is the one too many."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio

from connector.subscription import MemoryBudget
from connector.task.rotations import RotationLimiter
from tests.unit.task.broadcast import OVERLAP, Broadcast, renew, token_of
from tests.unit.task.fakes import FakeKeeper
from tests.unit.task.scenario import Scene, brokers_with, settings_of, until
from tests.unit.task.upstream import FakeUpstream, Peer

LIVES = 60.0


class Plan:
    """Serves ``cap`` streams; one more is acknowledged, and gets nothing for as long as it lives."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self.upstreams: list[FakeUpstream] = []
        self.silent: list[Peer] = []

    def serving(self, stream: Broadcast) -> Callable[[Peer], Awaitable[None]]:
        async def handle(peer: Peer) -> None:
            await peer.initialised.wait()
            if sum(len(upstream.open) for upstream in self.upstreams) <= self.cap:
                await stream(peer)
                return
            self.silent.append(peer)
            await peer.greet()
            await peer.wait_closed()

        return handle


class Two:
    """Two scenes of one plan, with one credential."""

    def __init__(self, plan: Plan, keeper: FakeKeeper) -> None:
        self.plan = plan
        self.limiter = RotationLimiter(OVERLAP, parallelism=1, clock=anyio.current_time, rng=lambda: 0.0)
        self.streams = [Broadcast(), Broadcast()]
        self.scenes = [
            Scene(
                settings_of(f"s{number}", rotation=OVERLAP),
                FakeUpstream(plan.serving(stream)),
                brokers=brokers_with("t"),
                keeper=keeper,
                budget=MemoryBudget(10**9),
                dead_letter_topic=None,
                rotations=self.limiter,
            )
            for number, stream in enumerate(self.streams)
        ]
        plan.upstreams = [scene.upstream for scene in self.scenes]

    async def until_one_has_two(self) -> tuple[Scene, Scene]:
        """Return the one that is being rotated, and the other one."""
        first, second = self.scenes
        await until(lambda: 2 in {len(scene.upstream.open) for scene in self.scenes}, within=100, every=0.1)
        return (first, second) if len(first.upstream.open) == 2 else (second, first)


@asynccontextmanager
async def two_with(plan: Plan) -> AsyncIterator[Two]:
    keeper = FakeKeeper(token_of(1, lives=LIVES))
    two = Two(plan, keeper)
    async with anyio.create_task_group() as group:
        for scene in two.scenes:
            group.start_soon(scene.upstream.serve)
            group.start_soon(scene.publisher.run)
            group.start_soon(scene.run)
        group.start_soon(lambda: renew(keeper, lives=LIVES, ahead=LIVES / 2))
        yield two
        group.cancel_scope.cancel()


async def test_no_only_session_is_opened_beside_a_second_one_that_may_be_one_too_many() -> None:
    async with two_with(Plan(2)) as two:
        rotated, other = await two.until_one_has_two()
        await other.upstream.open[0].close(1013)
        await anyio.sleep(5)
        assert len(other.upstream.open) == 0  # it waits
        await until(lambda: other.upstream.open, within=60, every=0.1)
        assert len(rotated.upstream.open) <= 1
        await anyio.sleep(20)
        for scene in two.scenes:
            before = len(scene.numbers)
            await anyio.sleep(10)
            assert len(scene.numbers) > before + 40
        # That it waited is told: nothing is lost in silence.
        assert other.told.gaps
        assert other.told.uncovered_seconds > 5


async def test_what_one_too_many_taught_is_kept_in_mind_and_the_next_tokens_reopen() -> None:
    async with two_with(Plan(2)) as two:
        await anyio.sleep(10 * LIVES)
        # Tried again after one minute, two and four; by both at once where the token is about to end.
        assert 1 <= len(two.plan.silent) <= 8
        for scene in two.scenes:
            assert set(scene.told.rotations) <= {"unproved"}
            assert scene.told.reconnects.count("reopen") >= 9
            assert scene.told.uncovered_seconds < 2


async def test_where_the_second_session_brings_rows_one_that_broke_is_reopened_at_once() -> None:
    async with two_with(Plan(3)) as two:
        _, other = await two.until_one_has_two()
        await anyio.sleep(0.5)
        await other.upstream.open[0].close(1013)
        await until(lambda: len(other.upstream.open) == 1, within=2.5, every=0.1)
        assert two.limiter.rotating == 1
        assert two.plan.silent == []


async def test_nobody_opens_a_second_session_while_a_sibling_opens_its_only_one() -> None:
    async with two_with(Plan(2)) as two:
        await anyio.sleep(20)
        first, second = two.scenes
        second.upstream.hangs = True
        await second.upstream.open[0].close(1013)
        await anyio.sleep(LIVES / 2)  # the next token is there
        assert len(first.upstream.open) == 1
        assert first.told.rotations == []
        second.upstream.hangs = False
