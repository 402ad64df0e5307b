"""`Keeper`: one token, fresh for everyone, through outages too."""

from __future__ import annotations

import random

import anyio
import pytest
from structlog.testing import capture_logs

from connector.auth import Keeper, Token

from .fakes import BUSY, REFUSED, FakeObserver, FakeSource, FakeTime
from .scenario import TOKEN, given

# Obtaining and refreshing


async def test_before_the_first_token_the_state_is_none() -> None:
    status = Keeper(FakeSource(FakeTime())).status
    assert (status.state, status.generation) == ("none", 0)
    assert (status.expires_in_seconds, status.last_error) == (None, None)


async def test_one_fetch_serves_however_many_ask() -> None:
    async with given() as it:
        got: list[Token] = []

        async def ask() -> None:
            got.append(await it.keeper.token())

        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(ask)
        assert it.fetches == 1
        assert [token.value for token in got] == ["token-1"] * 50


async def test_the_life_counts_from_before_the_request_was_sent() -> None:
    gate = anyio.Event()
    async with given(gate, life=100) as it:
        begun = it.now
        await it.passes(7)
        gate.set()
        assert (await it.keeper.token()).expires_at == begun + 100
        assert it.keeper.status.expires_in_seconds == 93.0


@pytest.mark.parametrize(("rng", "due"), [(0.0, 75.0), (0.5, 80.0), (0.999, 84.99)])
async def test_a_token_is_refreshed_at_a_fraction_of_its_life(rng: float, due: float) -> None:
    async with given(life=100, rng=lambda: rng) as it:
        await it.passes(due - 0.1)
        assert it.fetches == 1
        await it.passes(0.2)
        assert it.fetches == 2
        assert (await it.keeper.token()).generation == 2


async def test_a_long_lived_token_is_refreshed_about_ten_minutes_before_its_end() -> None:
    async with given(life=2_627_999.0) as it:
        await it.passes(2_627_999 - 601)
        assert it.fetches == 1
        await it.passes(130)
        assert it.fetches == 2


async def test_a_token_of_unknown_life_is_not_refreshed() -> None:
    async with given(life=None) as it:
        await it.passes(10_000_000)
        assert it.fetches == 1
        assert (it.state, it.keeper.status.expires_in_seconds) == ("valid", None)


async def test_a_token_that_arrives_expired_is_served_to_those_who_waited_for_it() -> None:
    gate = anyio.Event()
    async with given(gate, life=5) as it:
        somebody = await it.asks()
        await it.passes(10)
        gate.set()
        await it.settles()
        assert somebody.generation == 1
        assert it.state == "expired"


async def test_the_shortest_lives_are_refreshed_at_a_bounded_rate() -> None:
    async with given(life=0.001) as it:
        await it.passes(120)
        assert it.most_in_a_minute <= 60


async def test_an_endpoint_that_gives_the_same_token_again_makes_no_new_generation() -> None:
    async with given(then="cached", life=100) as it:
        begun = it.now
        await it.passes(85)
        assert it.fetches == 2
        token = await it.keeper.token()
        assert (token.generation, token.expires_at) == (1, begun + 180)


async def test_newer_than_waits_for_a_later_generation() -> None:
    async with given(life=100) as it:
        somebody = await it.asks(newer_than=1)
        await it.passes(70)
        assert somebody.token is None
        await it.passes(20)
        assert somebody.generation == 2


# Outages


async def test_a_valid_token_serves_while_the_endpoint_hangs() -> None:
    async with given(TOKEN, then=anyio.Event(), life=100) as it:
        await it.passes(95)
        assert it.fetches == 2
        assert await it.generation_for("anybody") == 1


async def test_an_expired_token_waits_for_the_running_fetch_and_serves_once_that_failed() -> None:
    gate = anyio.Event()
    async with given(TOKEN, gate, BUSY, then=BUSY, life=100) as it:
        await it.passes(101)
        somebody = await it.asks()
        assert (somebody.token, it.state) == (None, "expired")
        gate.set()
        await it.settles()
        assert somebody.generation == 2
        await it.passes(150)
        assert await it.generation_for("anybody") == 2
        assert (it.state, it.error) == ("expired", str(BUSY))


async def test_passing_failures_are_retried_within_seconds_and_then_about_a_minute() -> None:
    async with given(then=BUSY, rng=random.Random(7).random) as it:
        await it.passes(3600)
        assert min(it.gaps) >= 0.5
        assert it.gaps[0] <= 1.0
        assert max(it.gaps) <= 60.0
        assert len(it.gaps) > 60


async def test_a_success_forgets_earlier_failures() -> None:
    async with given(*[BUSY] * 6, TOKEN, BUSY, life=100, rng=lambda: 0.999) as it:
        await it.passes(1 + 2 + 4 + 8 + 16 + 32 + 85 + 1)
        assert it.gaps[7] < 1.0


async def test_a_failure_never_repeats_at_once_even_if_the_jitter_says_so() -> None:
    async with given(then=BUSY, rng=lambda: 0.0) as it:
        await it.passes(10)
        assert it.fetches == 21


async def test_after_a_refusal_the_endpoint_sees_a_handful_of_requests_a_minute_whoever_asks() -> None:
    async with given(TOKEN, then=REFUSED, life=5, rng=random.Random(1).random) as it:
        for _ in range(20):
            await it.asks(newer_than=1)
        await it.each_second(3600, lambda: it.keeper.reject(1))
        assert it.most_in_a_minute <= 3
        assert 60 <= it.gaps[1] <= 75
        assert 480 <= it.gaps[-1] <= 600


async def test_a_refusal_leaves_a_valid_token_in_service_and_says_so() -> None:
    async with given(TOKEN, then=REFUSED, life=100) as it:
        await it.passes(90)
        assert await it.generation_for("anybody") == 1
        assert (it.state, it.error) == ("valid", str(REFUSED))
        await it.passes(20)
        assert it.state == "refused"


async def test_without_a_token_a_refusal_is_the_state_until_it_is_lifted() -> None:
    async with given(REFUSED, REFUSED) as it:
        assert it.state == "refused"
        await it.passes(67 + 135 + 1)
        assert await it.generation_for("anybody") == 1
        assert (it.state, it.error) == ("valid", None)


async def test_what_is_no_outage_is_not_swallowed() -> None:
    keeper = Keeper(FakeSource(FakeTime(), default=RuntimeError("a bug")))
    with pytest.raises(ExceptionGroup) as caught:
        await keeper.run()
    assert caught.group_contains(RuntimeError)


# What is told


async def test_the_observer_learns_each_token_before_anything_is_logged_of_it() -> None:
    with capture_logs() as logs:

        class Observer(FakeObserver):
            def token_changed(self, value: str) -> None:
                super().token_changed(value)
                assert [log["event"] for log in logs] == ["token not obtained", "token endpoint refused"]

        observer = Observer()
        async with given(BUSY, REFUSED, "a", observer=observer) as it:
            await it.passes(70)
        assert logs[-1]["event"] == "token obtained"
    assert observer.told == ["failed", "refused", "learned a", "obtained"]


async def test_a_lasting_failure_is_logged_once_and_its_end_too() -> None:
    with capture_logs() as logs:
        async with given(*[REFUSED] * 4, *[BUSY] * 4, rng=lambda: 0.0) as it:
            await it.passes(3600)
    loud = [log for log in logs if log["log_level"] != "debug"]
    assert [log["event"] for log in loud[:3]] == [
        "token endpoint refused",
        "token not obtained",
        "token obtained",
    ]
    assert loud[0]["remedy"] == "r"
    assert loud[0]["next_attempt_seconds"] == 60.0
    assert (loud[2]["life_seconds"], loud[2]["generation"]) == (100.0, 1)
