"""`Keeper`: one token, fresh for everyone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import anyio
import pytest
from structlog.testing import capture_logs

from connector.auth import Grant, Keeper, Token

from .fakes import BUSY, REFUSED, FakeObserver, FakeSource, FakeTime, keeping, settle

FIXED = Grant(access_token="fixed")


def most_in_a_minute(moments: Sequence[float]) -> int:
    """Return the greatest number of ``moments`` within any 60 seconds."""
    return max(sum(start <= moment < start + 60 for moment in moments) for start in moments)


class Waiter:
    """Someone who waits for a token in a task of its own."""

    def __init__(self) -> None:
        self.token: Token | None = None

    async def wait(self, keeper: Keeper, generation: int = 0) -> None:
        self.token = await keeper.newer_than(generation)


# Obtaining and refreshing


async def test_before_the_first_token_the_state_is_none() -> None:
    keeper = Keeper(FakeSource(FakeTime()))
    status = keeper.status
    assert (status.state, status.generation, status.expires_in_seconds, status.last_error) == (
        "none",
        0,
        None,
        None,
    )


async def test_one_fetch_serves_however_many_ask() -> None:
    source = FakeSource(FakeTime())
    async with keeping(source) as keeper:
        got: list[Token] = []

        async def ask() -> None:
            got.append(await keeper.token())

        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(ask)
        assert len(source.fetched_at) == 1
        assert {token.value for token in got} == {"token-1"}


async def test_the_life_counts_from_before_the_request_was_sent() -> None:
    time, gate = FakeTime(), anyio.Event()
    source = FakeSource(time, script=[gate])
    async with keeping(source) as keeper:
        await time.advance(7)
        gate.set()
        assert (await keeper.token()).expires_at == 1100.0
        assert keeper.status.expires_in_seconds == 93.0


@pytest.mark.parametrize(("rng", "due"), [(0.0, 75.0), (0.5, 80.0), (0.999, 84.99)])
async def test_a_token_is_refreshed_at_a_fraction_of_its_life(rng: float, due: float) -> None:
    time = FakeTime()
    source = FakeSource(time)
    async with keeping(source, rng=lambda: rng) as keeper:
        await time.advance(due - 0.1)
        assert len(source.fetched_at) == 1
        await time.advance(0.2)
        assert len(source.fetched_at) == 2
        assert (await keeper.token()).generation == 2


async def test_a_long_lived_token_is_refreshed_about_ten_minutes_before_its_end() -> None:
    time = FakeTime()
    source = FakeSource(time, life=2_627_999.0)
    async with keeping(source):
        await time.advance(2_627_999 - 601)
        assert len(source.fetched_at) == 1
        await time.advance(130)
        assert len(source.fetched_at) == 2


async def test_a_token_of_unknown_life_is_not_refreshed() -> None:
    time = FakeTime()
    source = FakeSource(time, life=None)
    async with keeping(source) as keeper:
        await time.advance(10_000_000)
        assert len(source.fetched_at) == 1
        assert (keeper.status.state, keeper.status.expires_in_seconds) == ("valid", None)


async def test_a_token_that_arrives_expired_is_served_to_those_who_waited_for_it() -> None:
    time, gate = FakeTime(), anyio.Event()
    source = FakeSource(time, life=5.0, script=[gate])
    waiter = Waiter()
    async with keeping(source) as keeper, anyio.create_task_group() as group:
        group.start_soon(waiter.wait, keeper)
        await time.advance(10)
        gate.set()
        await settle()
        assert waiter.token is not None
        assert keeper.status.state == "expired"


async def test_the_shortest_lives_are_refreshed_at_a_bounded_rate() -> None:
    time = FakeTime()
    source = FakeSource(time, life=0.001)
    async with keeping(source):
        await time.advance(120)
    assert most_in_a_minute(source.fetched_at) <= 60


async def test_an_endpoint_that_gives_the_same_token_again_makes_no_new_generation() -> None:
    time = FakeTime()
    source = FakeSource(time, default="cached")
    async with keeping(source) as keeper:
        await time.advance(85)
        assert len(source.fetched_at) == 2
        token = await keeper.token()
        assert (token.generation, token.expires_at) == (1, 1180.0)


# Outages


async def test_a_valid_token_serves_while_the_endpoint_hangs() -> None:
    time = FakeTime()
    source = FakeSource(time, script=[None], default=anyio.Event())
    async with keeping(source) as keeper:
        await time.advance(95)
        assert len(source.fetched_at) == 2
        with anyio.fail_after(5):
            assert (await keeper.token()).generation == 1


async def test_an_expired_token_waits_for_the_running_fetch_and_serves_once_that_failed() -> None:
    time = FakeTime()
    gate = anyio.Event()
    source = FakeSource(time, script=[None, gate, BUSY], default=BUSY)
    async with keeping(source) as keeper, anyio.create_task_group() as group:
        await time.advance(101)
        waiter = Waiter()
        group.start_soon(waiter.wait, keeper)
        await settle()
        assert (waiter.token, keeper.status.state) == (None, "expired")
        gate.set()
        await settle()
        assert waiter.token is not None
        assert waiter.token.generation == 2
        await time.advance(150)
        with anyio.fail_after(5):
            assert (await keeper.token()).generation == 2
        status = keeper.status
        assert (status.state, status.last_error) == ("expired", str(BUSY))


async def test_passing_failures_are_retried_within_seconds_and_then_about_a_minute() -> None:
    time = FakeTime()
    source = FakeSource(time, default=BUSY)
    async with keeping(source, rng=random.Random(7).random):
        await time.advance(3600)
    gaps = [b - a for a, b in pairwise(source.fetched_at)]
    assert min(gaps) >= 0.5
    assert gaps[0] <= 1.0
    assert max(gaps) <= 60.0
    assert len(gaps) > 60


async def test_a_success_forgets_earlier_failures() -> None:
    time = FakeTime()
    source = FakeSource(time, script=[*[BUSY] * 6, None, BUSY])
    async with keeping(source, rng=lambda: 0.999):
        await time.advance(1 + 2 + 4 + 8 + 16 + 32 + 85 + 1)
    assert source.fetched_at[8] - source.fetched_at[7] < 1.0


async def test_a_failure_never_repeats_at_once_even_if_the_jitter_says_so() -> None:
    time = FakeTime()
    source = FakeSource(time, default=BUSY)
    async with keeping(source, rng=lambda: 0.0):
        await time.advance(10)
    assert len(source.fetched_at) == 21


async def test_after_a_refusal_the_endpoint_sees_a_handful_of_requests_a_minute_whoever_asks() -> None:
    time = FakeTime()
    source = FakeSource(time, life=5.0, script=[None], default=REFUSED)
    async with keeping(source, rng=random.Random(1).random) as keeper, anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(Waiter().wait, keeper, 1)
        for _ in range(3600):
            keeper.reject(1)
            await time.advance(1)
        group.cancel_scope.cancel()
    assert most_in_a_minute(source.fetched_at) <= 3
    gaps = [b - a for a, b in pairwise(source.fetched_at[1:])]
    assert 48 <= gaps[0] <= 72
    assert 480 <= gaps[-1] <= 720


async def test_a_refusal_leaves_a_valid_token_in_service_and_says_so() -> None:
    time = FakeTime()
    source = FakeSource(time, script=[None], default=REFUSED)
    async with keeping(source) as keeper:
        await time.advance(90)
        assert (await keeper.token()).generation == 1
        assert (keeper.status.state, keeper.status.last_error) == ("valid", str(REFUSED))
        await time.advance(20)
        assert keeper.status.state == "refused"


async def test_without_a_token_a_refusal_is_the_state_until_it_is_lifted() -> None:
    time = FakeTime()
    source = FakeSource(time, script=[REFUSED, REFUSED])
    async with keeping(source) as keeper:
        assert keeper.status.state == "refused"
        await time.advance(200)
        assert (await keeper.token()).generation == 1
        assert (keeper.status.state, keeper.status.last_error) == ("valid", None)


async def test_what_is_no_outage_is_not_swallowed() -> None:
    keeper = Keeper(FakeSource(FakeTime(), default=RuntimeError("a bug")))
    with pytest.raises(ExceptionGroup) as caught:
        await keeper.run()
    assert caught.group_contains(RuntimeError)


# Rejections


async def test_a_rejected_token_is_replaced_at_once_by_one_fetch() -> None:
    time = FakeTime()
    source = FakeSource(time)
    async with keeping(source) as keeper:
        for _ in range(10):
            keeper.reject(1)
        assert keeper.status.state == "rejected"
        assert (await keeper.newer_than(1)).value == "token-2"
        keeper.reject(1)
        await time.advance(60)
        assert len(source.fetched_at) == 2
        assert keeper.status.last_error is None


async def test_a_rejected_token_is_never_handed_out() -> None:
    time = FakeTime()
    source = FakeSource(time, script=[None], default=BUSY)
    async with keeping(source) as keeper:
        keeper.reject(1)
        waiter = Waiter()
        async with anyio.create_task_group() as group:
            group.start_soon(waiter.wait, keeper)
            await time.advance(500)
            assert waiter.token is None
            source.default = None
            await time.advance(61)
        assert waiter.token is not None
        assert waiter.token.generation == 2


async def test_a_fetch_that_runs_already_is_the_one_that_a_rejection_asks_for() -> None:
    time, gate = FakeTime(), anyio.Event()
    source = FakeSource(time, script=[None, gate])
    async with keeping(source) as keeper:
        await time.advance(81)
        keeper.reject(1)
        await settle()
        gate.set()
        assert (await keeper.newer_than(1)).generation == 2
        await time.advance(10)
        assert len(source.fetched_at) == 2


async def test_a_failing_endpoint_is_not_asked_sooner_for_a_rejection() -> None:
    time = FakeTime()
    source = FakeSource(time, script=[None], default=REFUSED)
    async with keeping(source) as keeper:
        await time.advance(81)
        assert len(source.fetched_at) == 2
        keeper.reject(1)
        await time.advance(58)
        assert (len(source.fetched_at), keeper.status.state) == (2, "refused")
        await time.advance(2)
        assert len(source.fetched_at) == 3


async def test_fresh_tokens_rejected_again_and_again_are_fetched_after_growing_waits() -> None:
    time = FakeTime()
    source = FakeSource(time, life=None)
    async with keeping(source) as keeper:
        for _ in range(3600):
            keeper.reject(keeper.status.generation)
            await time.advance(1)
        gaps = [round(b - a) for a, b in pairwise(source.fetched_at)]
        # The second rejection comes a second after the first; five seconds later the next fetch.
        assert gaps[:9] == [0, 6, 10, 20, 40, 80, 160, 300, 300]
        assert keeper.status.last_error is not None
        assert "rejects fresh tokens" in keeper.status.last_error


async def test_accepting_a_token_forgets_earlier_rejections() -> None:
    time = FakeTime()
    source = FakeSource(time, life=None)
    async with keeping(source) as keeper:
        for _ in range(3):
            keeper.reject(keeper.status.generation)
            await time.advance(30)
        keeper.accept(keeper.status.generation)
        assert keeper.status.last_error is None
        await time.advance(60)
        before = keeper.status.generation
        keeper.reject(before)
        await settle()
        assert (await keeper.newer_than(before)).generation == before + 1


async def test_accepting_an_older_token_than_was_rejected_forgets_nothing() -> None:
    time = FakeTime()
    source = FakeSource(time, life=None)
    async with keeping(source) as keeper:
        keeper.reject(1)
        await time.advance(1)
        keeper.reject(2)
        keeper.accept(1)
        await time.advance(4)
        assert len(source.fetched_at) == 2
        await time.advance(2)
        assert len(source.fetched_at) == 3
        keeper.reject(3)
        await time.advance(9)
        assert len(source.fetched_at) == 3
        await time.advance(2)
        assert len(source.fetched_at) == 4


async def test_tokens_accepted_and_rejected_in_turn_are_fetched_once_a_second_at_most() -> None:
    time = FakeTime()
    source = FakeSource(time, life=None)
    async with keeping(source) as keeper:
        for _ in range(1000):
            keeper.accept(keeper.status.generation)
            keeper.reject(keeper.status.generation)
            await time.advance(0.01)
    assert len(source.fetched_at) <= 12


async def test_a_source_with_one_token_gives_it_again_as_a_new_generation_after_growing_waits() -> None:
    time = FakeTime()
    source = FakeSource(time, default=FIXED)
    handed_out: list[float] = []
    async with keeping(source) as keeper:
        for _ in range(2000):
            if keeper.status.state == "valid":
                handed_out.append(time.now)
                token = await keeper.token()
                assert (token.value, token.generation) == ("fixed", len(handed_out))
                keeper.reject(token.generation)
            await time.advance(1)
    gaps = [round(b - a) for a, b in pairwise(handed_out)]
    assert gaps[:8] == [5, 10, 20, 40, 80, 160, 300, 300]


async def test_a_source_that_changes_by_itself_is_read_at_once_and_starts_afresh() -> None:
    time = FakeTime()
    source = FakeSource(time, default=FIXED)
    async with keeping(source) as keeper:
        for _ in range(200):
            keeper.reject(keeper.status.generation)
            await time.advance(1)
        before = keeper.status.generation
        source.default = Grant(access_token="other")
        source.changes.set()
        await settle()
        token = await keeper.newer_than(before)
        assert (token.value, keeper.status.state) == ("other", "valid")
        assert keeper.status.last_error is None


async def test_unknown_generations_are_no_news() -> None:
    time = FakeTime()
    source = FakeSource(time)
    keeper = Keeper(source)
    keeper.reject(0)
    keeper.accept(0)
    async with keeping(source) as keeper:
        keeper.reject(7)
        assert keeper.status.state == "valid"


async def test_newer_than_waits_for_a_later_generation() -> None:
    time = FakeTime()
    source = FakeSource(time)
    async with keeping(source) as keeper, anyio.create_task_group() as group:
        waiter = Waiter()
        group.start_soon(waiter.wait, keeper, 1)
        await time.advance(70)
        assert waiter.token is None
        await time.advance(20)
        assert waiter.token is not None
        assert waiter.token.generation == 2


# What is told


async def test_the_observer_learns_each_token_before_anything_is_logged_of_it() -> None:
    time = FakeTime()
    source = FakeSource(time, script=[BUSY, REFUSED, "a"])
    with capture_logs() as logs:

        class Observer(FakeObserver):
            def token_changed(self, value: str) -> None:
                super().token_changed(value)
                assert [log["event"] for log in logs] == ["token not obtained", "token endpoint refused"]

        observer = Observer()
        async with keeping(source, observer=observer):
            await time.advance(70)
        assert logs[-1]["event"] == "token obtained"
    assert observer.told == ["failed", "refused", "learned a", "obtained"]


async def test_a_lasting_failure_is_logged_once_and_its_end_too() -> None:
    time = FakeTime()
    source = FakeSource(time, script=[*[REFUSED] * 4, *[BUSY] * 4])
    with capture_logs() as logs:
        async with keeping(source):
            await time.advance(3600)
    loud = [log for log in logs if log["log_level"] != "debug"]
    assert [log["event"] for log in loud[:3]] == [
        "token endpoint refused",
        "token not obtained",
        "token obtained",
    ]
    assert loud[0]["remedy"] == "r"
    assert loud[0]["next_attempt_seconds"] == 60.0
    assert (loud[2]["life_seconds"], loud[2]["generation"]) == (100.0, 1)


# Other credentials


async def test_a_healthy_keeper_asks_with_other_credentials_only_when_it_is_due() -> None:
    time = FakeTime()
    source = FakeSource(time)
    async with keeping(source) as keeper:
        keeper.renewed()
        await time.advance(70)
        assert len(source.fetched_at) == 1
        assert (await keeper.token()).generation == 1
        await time.advance(20)
        assert len(source.fetched_at) == 2


async def test_one_that_is_refused_asks_at_once_with_other_credentials() -> None:
    time = FakeTime()
    source = FakeSource(time, script=[REFUSED, REFUSED])
    async with keeping(source) as keeper:
        await time.advance(1)
        assert keeper.status.state == "refused"
        keeper.renewed()
        await time.advance(0.1)
        assert len(source.fetched_at) == 2
        keeper.renewed()
        await time.advance(0.1)
        assert (len(source.fetched_at), keeper.status.state) == (3, "valid")


async def test_one_whose_token_still_serves_while_it_is_refused_asks_at_once_too() -> None:
    time = FakeTime()
    source = FakeSource(time, script=[None, REFUSED])
    async with keeping(source) as keeper:
        await time.advance(85)
        assert (keeper.status.state, len(source.fetched_at)) == ("valid", 2)
        keeper.renewed()
        await time.advance(0.1)
        assert (len(source.fetched_at), keeper.status.last_error) == (3, None)


async def test_one_whose_tokens_are_rejected_asks_at_once_and_is_patient_no_more() -> None:
    time = FakeTime()
    source = FakeSource(time)
    async with keeping(source) as keeper:
        for generation in (1, 2):
            keeper.reject(generation)
            await time.advance(0.1)
        assert keeper.status.generation == 2  # the third is waited for
        keeper.renewed()
        await time.advance(0.1)
        assert (await keeper.token()).generation == 3
        keeper.reject(3)
        await time.advance(1.5)
        assert (await keeper.token()).generation == 4


class RefusesLate(FakeSource):
    """Refuses the first request once `gate` is open."""

    gate: anyio.Event

    async def fetch(self) -> Grant:
        if self.fetched_at:
            return await super().fetch()
        self.fetched_at.append(self.time.now)
        await self.gate.wait()
        raise REFUSED


async def test_a_refusal_of_what_was_sent_before_does_not_count() -> None:
    time = FakeTime()
    source = RefusesLate(time)
    source.gate = anyio.Event()
    async with keeping(source) as keeper:
        keeper.renewed()
        await time.advance(3)
        source.gate.set()
        await time.advance(0.1)
        assert (len(source.fetched_at), keeper.status.state) == (2, "valid")
