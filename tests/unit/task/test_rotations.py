"""Subscriptions with one credential rotate in their turns; time jumps, and nobody's is real."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import anyio
import pytest
from anyio.abc import TaskGroup

from connector.auth import Grant, Keeper, Token
from connector.auth.grant import GrantUnavailable
from connector.task.permit import Permit
from connector.task.rotation_policy import Rotation, end
from connector.task.rotations import RotationLimiter, Rotator
from connector.task.stream_proofs import PROOF_LASTS, REFUTED_FIRST, StreamProofs
from tests.unit.publish.clock import JumpingLoop

OVERLAP = Rotation(kind="overlap")
CONNECTING = 0.2
CLOSING = 0.1


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Callable[[], Any]]]:
    """However slow the machine is, no time passes but what is waited for."""
    return "asyncio", {"loop_factory": JumpingLoop}


class Source:
    """Gives tokens that live for ``life`` seconds, but not between the moments of ``down``."""

    def __init__(self, life: float, *, down: tuple[float, float] = (math.inf, math.inf)) -> None:
        self._life = life
        self._down = down
        self.given_at: list[float] = []

    async def fetch(self) -> Grant:
        now = anyio.current_time()
        if self._down[0] <= now < self._down[1]:
            raise GrantUnavailable("down", status=503)
        await anyio.sleep(0.05)
        self.given_at.append(now)
        return Grant(access_token=f"t{len(self.given_at)}", expires_in=self._life)

    async def changed(self) -> None:
        await anyio.sleep_forever()


def _note_time(moments: list[float]) -> None:
    moments.append(anyio.current_time())


class Fleet:
    """Subscriptions that rotate for ever, each with one session, and two while it rotates."""

    def __init__(
        self, source: Source, *, parallelism: int = 2, cap: int | None = None, kind: Rotation = OVERLAP
    ) -> None:
        self.keeper = Keeper(source, clock=anyio.current_time, rng=lambda: 0.5)
        self.limiter = RotationLimiter(
            kind, parallelism=parallelism, cap=cap, clock=anyio.current_time, rng=random.Random(1).random
        )
        self.limiter.lead_changed = lambda: self.keeper.needed_ahead(self.limiter.lead)
        self.at_once = 0
        self.streams = 0
        self.late: list[float] = []
        self.overlaps: list[float] = []
        self.reopened: list[float] = []
        self.rotations = 0

    def start(self, group: TaskGroup, count: int, streams: int = 1) -> None:
        """Have ``count`` more, and the keeper if it does not run yet."""
        for _ in range(count):
            group.start_soon(self._follow, with_session(self.limiter, streams))

    async def run(self, count: int, seconds: float) -> None:
        """Let ``count`` rotate for so long."""
        async with anyio.create_task_group() as group:
            self.start(group, count)
            group.start_soon(self.keeper.run)
            await anyio.sleep(seconds)
            group.cancel_scope.cancel()

    async def _follow(self, rotator: Rotator) -> None:
        token = await self.keeper.token()
        while True:
            recorded_since: list[float] = []
            record = partial(_note_time, recorded_since)
            permit = await rotator.due(token, self.keeper, called=record)
            if permit is None:
                self.reopened.append(anyio.current_time())
                self._ended(token)
                token = await self.keeper.token()
                continue
            (since,) = recorded_since
            with permit:
                await anyio.sleep(max(0.0, since + permit.times.reach - anyio.current_time()))
                newer = await self.keeper.token()
                await anyio.sleep(CONNECTING)
                await self._overlap(permit)
            self._ended(token)
            token = newer

    async def _overlap(self, permit: Permit) -> None:
        times = permit.subscribed()
        self.at_once = max(self.at_once, self.limiter.rotating)
        self.streams = max(self.streams, self.limiter.open_streams())
        self.overlaps.append(times.least)
        await anyio.sleep(times.least + CLOSING)
        self.rotations += 1

    def _ended(self, token: Token) -> None:
        """A session with ``token`` is over; so late before its end, or after it."""
        assert token.expires_at is not None
        assert token.life is not None
        left = token.expires_at - anyio.current_time()
        if left < end(token.life) - CLOSING - 1e-6:
            self.late.append(left)


async def test_fifty_on_a_token_of_five_minutes_rotate_two_at_once_and_all_before_its_end() -> None:
    source = Source(300.0)
    fleet = Fleet(source)
    await fleet.run(50, 3600.0)
    assert (fleet.at_once, fleet.late, fleet.reopened) == (2, [], [])
    assert set(fleet.overlaps) == {5.0}
    # One request for each expiry: as early as the last of fifty needs it, and no earlier.
    apart = {round(later - earlier) for earlier, later in pairwise(source.given_at)}
    assert apart <= {70, 71, 72}
    assert fleet.rotations >= 50 * 3600 / 300


@pytest.mark.parametrize(("count", "life"), [(1, 5.0), (2, 5.0), (1, 3600.0), (500, 3600.0), (30, 60.0)])
async def test_all_are_over_to_the_next_token_before_the_end(count: int, life: float) -> None:
    fleet = Fleet(Source(life))
    lives = 3 if count < 100 else 1
    await fleet.run(count, lives * life)
    assert (fleet.late, fleet.reopened) == ([], [])
    assert fleet.rotations >= lives * count
    if (count, life) != (30, 60.0):
        assert fleet.at_once == min(2, count)


async def test_tokens_of_five_seconds_overlap_for_half_a_second() -> None:
    fleet = Fleet(Source(5.0))
    await fleet.run(1, 300.0)
    assert fleet.late == []
    assert set(fleet.overlaps) == {0.5}
    assert fleet.rotations >= 60


async def test_a_token_endpoint_that_was_down_makes_more_rotate_at_once_and_still_in_time() -> None:
    # The first token is due to be replaced at about 96 seconds, and ends at 300.
    fleet = Fleet(Source(300.0, down=(90.0, 200.0)))
    await fleet.run(50, 299.0)
    assert 2 < fleet.at_once <= 10
    assert (fleet.late, fleet.reopened) == ([], [])
    assert fleet.rotations >= 50


async def test_sessions_that_outlived_their_token_go_over_one_after_another() -> None:
    fleet = Fleet(Source(300.0, down=(90.0, 400.0)))
    await fleet.run(20, 500.0)
    assert fleet.at_once == 2
    assert fleet.reopened == []
    assert len(fleet.late) == 20


async def test_a_plan_with_room_for_one_more_makes_those_reopen_that_have_no_time() -> None:
    fleet = Fleet(Source(100.0), parallelism=4, cap=41)
    await fleet.run(40, 100.0)
    assert fleet.streams == 41
    assert fleet.at_once == 1
    assert len(fleet.reopened) > 0
    assert fleet.late == []


async def test_a_plan_without_room_makes_all_reopen_in_time_and_not_at_once() -> None:
    fleet = Fleet(Source(300.0), cap=40)
    await fleet.run(40, 300.0)
    assert (fleet.rotations, fleet.late) == (0, [])
    assert len(fleet.reopened) >= 40
    for moment in fleet.reopened:
        assert sum(moment <= other < moment + 1.0 for other in fleet.reopened) <= 6


async def test_who_comes_later_has_the_next_token_come_sooner() -> None:
    source = Source(300.0)
    fleet = Fleet(source)
    async with anyio.create_task_group() as group:
        fleet.start(group, 1)
        group.start_soon(fleet.keeper.run)
        await anyio.sleep(50.0)
        fleet.start(group, 49)
        await anyio.sleep(60.0)
        assert [round(at) for at in source.given_at] == [0, 76]
        await anyio.sleep(180.0)
        assert (fleet.at_once, fleet.late, fleet.reopened) == (2, [], [])
        group.cancel_scope.cancel()


async def test_where_sessions_are_reopened_tokens_come_when_they_did() -> None:
    source = Source(300.0)
    fleet = Fleet(source, kind=Rotation(kind="reopen"))
    async with anyio.create_task_group() as group:
        for _ in range(50):
            fleet.limiter.join(streams=1)
        group.start_soon(fleet.keeper.run)
        await anyio.sleep(239.0)
        assert len(source.given_at) == 1
        await anyio.sleep(2.0)
        assert len(source.given_at) == 2
        group.cancel_scope.cancel()


# Whoever gives up


def limiter_of(*, parallelism: int = 1, cap: int | None = None) -> RotationLimiter:
    return RotationLimiter(OVERLAP, parallelism=parallelism, cap=cap, clock=anyio.current_time)


def with_session(limiter: RotationLimiter, streams: int = 1) -> Rotator:
    """Return one that has a session."""
    rotator = limiter.join(streams=streams)
    rotator.is_open = True
    return rotator


async def settle() -> None:
    await anyio.sleep(0.001)


class Held:
    """One that asks for a turn, and holds it until told."""

    def __init__(self, rotator: Rotator, group: TaskGroup) -> None:
        self.scope = anyio.CancelScope()
        self.has_it = False
        self.is_refused = False
        self._rotator = rotator
        group.start_soon(self._run)

    async def _run(self) -> None:
        with self.scope:
            permit = await self._rotator.probe()
            self.is_refused = permit is None
            if permit is not None:
                with permit:
                    self.has_it = True
                    await anyio.sleep_forever()


async def test_a_holder_that_dies_gives_its_turn_to_the_next() -> None:
    limiter = limiter_of()
    async with anyio.create_task_group() as group:
        first, second, third = (Held(limiter.join(streams=1), group) for _ in range(3))
        await settle()
        assert (first.has_it, second.has_it) == (True, False)
        first.scope.cancel()
        await settle()
        assert (second.has_it, third.has_it, limiter.rotating) == (True, False, 1)
        group.cancel_scope.cancel()
    assert limiter.rotating == 0


async def test_who_waits_no_more_holds_nobody_up() -> None:
    limiter = limiter_of()
    async with anyio.create_task_group() as group:
        first, second, third = (Held(limiter.join(streams=1), group) for _ in range(3))
        await settle()
        second.scope.cancel()
        await settle()
        first.scope.cancel()
        await settle()
        assert (second.has_it, third.has_it) == (False, True)
        group.cancel_scope.cancel()


@pytest.mark.parametrize("steps", range(6))
async def test_who_is_cancelled_in_the_moment_of_its_turn_gives_it_back(steps: int) -> None:
    limiter = limiter_of()
    async with anyio.create_task_group() as group:
        first, second, third = (Held(limiter.join(streams=1), group) for _ in range(3))
        await settle()
        # The turn passes to the second one within these steps; in one of them it has it and does not know.
        first.scope.cancel()
        for _ in range(steps):
            await anyio.lowlevel.checkpoint()
        second.scope.cancel()
        await settle()
        assert (third.has_it, limiter.rotating) == (True, 1)
        group.cancel_scope.cancel()
    assert limiter.rotating == 0


async def test_the_first_in_the_queue_may_leave_and_the_next_one_keeps_the_time() -> None:
    limiter = limiter_of()
    keeper = Keeper(Source(math.inf), clock=anyio.current_time)
    begun: list[float] = []

    async def expires(rotator: Rotator, scope: anyio.CancelScope) -> None:
        token = Token(value="t", generation=0, expires_at=300.0, life=300.0)
        with scope:
            permit = await rotator.due(token, keeper, called=lambda: None)
            assert permit is not None
            begun.append(anyio.current_time())
            with permit:
                await anyio.sleep(7.0)

    scopes = [anyio.CancelScope() for _ in range(3)]
    async with anyio.create_task_group() as group:
        group.start_soon(keeper.run)
        held = Held(limiter.join(streams=1), group)
        await settle()
        for scope in scopes:
            group.start_soon(expires, limiter.join(streams=1), scope)
        await anyio.sleep(270.0)
        assert begun == []  # one holds the only turn, longer than it takes
        scopes[0].cancel()
        await anyio.sleep(25.0)
        assert held.has_it
        assert begun == [pytest.approx(279.5), pytest.approx(286.5)]
        group.cancel_scope.cancel()


async def test_a_turn_that_was_given_back_twice_counts_once() -> None:
    limiter = limiter_of(parallelism=2)
    first = await limiter.join(streams=1).probe()
    second = await limiter.join(streams=1).probe()
    assert first is not None
    assert second is not None
    for _ in range(3):
        first.release()
    assert limiter.rotating == 1


async def test_who_has_left_is_not_counted_and_may_leave_again() -> None:
    limiter = limiter_of(cap=3)
    first, second, third = (with_session(limiter) for _ in range(3))
    assert await third.probe() is None
    for _ in range(2):
        second.leave()
    permit = await third.probe()
    assert permit is not None
    assert (limiter.plan.count, limiter.open_streams()) == (2, 3)
    first.leave()
    permit.release()
    assert limiter.open_streams() == 1


# What silence means


async def let(rotator: Rotator) -> Permit:
    permit = await rotator.probe()
    assert permit is not None
    return permit


async def test_a_sibling_that_joined_proves_that_so_many_streams_are_served() -> None:
    limiter = limiter_of(parallelism=3)
    busy, quiet, large = (with_session(limiter, streams) for streams in (1, 1, 2))
    with await let(busy) as permit:
        permit.subscribed()
        assert not permit.is_proved
        permit.joined()
    assert limiter.proved(5)
    with await let(quiet) as permit:
        permit.subscribed()
        assert permit.is_proved
    with await let(large) as permit:
        permit.subscribed()
        assert not permit.is_proved  # six are open now, and five were
    with await let(busy), await let(quiet) as permit:
        permit.subscribed()
        assert not permit.is_proved


async def test_sessions_that_are_not_open_prove_nothing() -> None:
    limiter = limiter_of()
    busy, down = with_session(limiter), limiter.join(streams=1)
    with await let(busy) as permit:
        permit.subscribed()
        permit.joined()
    down.is_open = True
    assert (limiter.proved(2), limiter.proved(3)) == (True, False)


def test_a_proof_is_good_for_fewer_streams_and_for_an_hour() -> None:
    proofs = StreamProofs()
    assert not proofs.holds(1, 0.0)
    proofs.served(10, 0.0)
    proofs.served(5, 60.0)
    assert [proofs.holds(streams, 60.0) for streams in (4, 5, 6, 10, 11)] == [True, True, True, True, False]
    later = PROOF_LASTS + 30.0
    assert [proofs.holds(streams, later) for streams in (5, 6)] == [True, False]
    assert not proofs.holds(1, later + 60.0)


def test_a_silent_session_refutes_what_was_proved_of_as_many_streams() -> None:
    proofs = StreamProofs()
    for streams in (12, 9, 5):
        proofs.served(streams, 0.0)
    proofs.silent(9, 0.0)
    assert [proofs.holds(streams, 1.0) for streams in (5, 6, 9, 12)] == [True, False, False, False]


def test_the_fewest_streams_of_which_one_was_silent_are_too_many_for_a_while() -> None:
    proofs = StreamProofs()
    assert proofs.most(0.0) is None
    proofs.silent(9, 0.0)
    proofs.silent(7, 10.0)
    proofs.silent(8, 20.0)
    assert proofs.most(REFUTED_FIRST - 1.0) == 6
    assert proofs.most(REFUTED_FIRST) is None


def test_what_is_refuted_again_is_tried_again_more_rarely_and_once_an_hour_at_least() -> None:
    proofs, now, pauses = StreamProofs(), 0.0, []
    for _ in range(10):
        proofs.silent(3, now)
        later = now
        while proofs.most(later) is not None:
            later += 1.0
        pauses.append(later - now)
        now = later
    assert pauses[:3] == [REFUTED_FIRST, 2 * REFUTED_FIRST, 4 * REFUTED_FIRST]
    assert pauses[-2:] == [PROOF_LASTS, PROOF_LASTS]
    proofs.served(3, now)
    proofs.silent(3, now)
    assert (proofs.most(now + REFUTED_FIRST - 1.0), proofs.most(now + REFUTED_FIRST)) == (2, None)


def test_the_cap_of_the_plan_is_known_and_fewer_may_be_learnt() -> None:
    proofs = StreamProofs(cap=5)
    assert (proofs.fits(5, 0.0), proofs.fits(6, 0.0)) == (True, False)
    proofs.silent(4, 0.0)  # others use the same account
    assert (proofs.most(0.0), proofs.fits(3, 0.0), proofs.fits(4, 0.0)) == (3, True, False)
    unknown = StreamProofs()
    unknown.served(3, 0.0)
    assert not unknown.fits(1, 0.0)


def test_proofs_do_not_grow() -> None:
    proofs = StreamProofs()
    for moment in range(1000):
        proofs.served(moment % 7, float(moment))
    assert len(proofs._proofs) <= 7
