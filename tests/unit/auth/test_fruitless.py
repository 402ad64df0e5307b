"""Attempts that end without a word of the token: a fresh one is tried, but storms cost few tokens."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from connector.auth import Grant

from .fakes import BUSY
from .scenario import TOKEN, Scenario, given


def _attempt(it: Scenario, users: int = 1) -> None:
    for _ in range(users):
        it.keeper.fruitless(it.generation)


@pytest.mark.parametrize("life", [None, 100_000.0])
async def test_after_a_minute_of_fruitless_attempts_one_fresh_token_is_fetched(life: float | None) -> None:
    async with given(life=life) as it:
        await it.each_second(59, lambda: _attempt(it))
        assert it.fetches == 1
        with capture_logs() as lines:
            await it.each_second(30, lambda: _attempt(it))
        assert (it.fetches, it.generation) == (2, 2)
        assert [line["event"] for line in lines].count("nobody gets through with the token") == 1


async def test_the_attempt_that_asks_for_a_fresh_token_is_told_so() -> None:
    async with given(life=None) as it:
        assert not it.keeper.fruitless(1)
        await it.passes(61)
        assert it.keeper.fruitless(1)
        assert not it.keeper.fruitless(1)  # one for all


async def test_a_storm_of_fruitless_attempts_costs_ever_fewer_tokens() -> None:
    async with given(life=None) as it:
        for _ in range(120):
            _attempt(it, users=20)
            await it.passes(30)
        assert 5 <= it.fetches <= 8
        assert it.gaps == sorted(it.gaps)
        before = it.fetches
        for _ in range(100):
            _attempt(it)
            await it.passes(120)
        assert it.fetches - before <= 4


async def test_while_anybody_gets_through_nothing_is_said_of_the_token() -> None:
    async with given(life=None) as it:
        for _ in range(10):
            await it.each_second(50, lambda: _attempt(it))
            await it.accepts("b")
        assert it.fetches == 1
        assert not it.keeper.fresh_tokens_do_not_help


async def test_an_old_session_that_lives_on_says_nothing_of_the_token() -> None:
    async with given(life=None) as it:
        await it.accepts("b")
        await it.each_second(70, lambda: _attempt(it))
        assert it.fetches == 2
        await it.accepts("b", generation=1)
        await it.each_second(100, lambda: _attempt(it))
        assert it.keeper.fresh_tokens_do_not_help


@pytest.mark.parametrize("answer", [TOKEN, Grant(access_token="the same")])
async def test_fruitless_in_spite_of_a_fresh_token_is_told(answer: Grant | None) -> None:
    async with given(answer, then=answer, life=None) as it:
        await it.each_second(90, lambda: _attempt(it))
        assert not it.keeper.fresh_tokens_do_not_help
        await it.each_second(60, lambda: _attempt(it))
        assert it.keeper.fresh_tokens_do_not_help
        await it.accepts("a")
        assert not it.keeper.fresh_tokens_do_not_help


async def test_a_source_that_fails_is_not_asked_sooner_for_fruitless_attempts() -> None:
    async with given(TOKEN, then=BUSY, life=None) as it:
        await it.each_second(62, lambda: _attempt(it))
        await it.each_second(200, lambda: _attempt(it))
        assert it.most_in_a_minute <= 8
        assert await it.generation_for("a") == 1


async def test_attempts_with_an_older_token_say_nothing_of_the_current_one() -> None:
    async with given(life=None) as it:
        await it.rejects("a")
        assert it.generation == 2
        for _ in range(20):
            assert not it.keeper.fruitless(1)
            await it.passes(10)
        assert it.fetches == 2


async def test_one_whose_own_rights_are_refused_hides_no_dead_token_from_the_others() -> None:
    async with given(life=None) as it:
        await it.accepts("b")
        await it.rejects("a")
        await it.rejects("a")  # a fresh one, too: these are its own rights
        await it.accepts("b")
        assert (it.fetches, it.state) == (2, "valid")
        asked_for = it.with_each_token(lambda generation: it.keeper.reject(generation, by="a"))

        def storm() -> None:
            asked_for()
            _attempt(it)

        await it.each_second(70, storm)
        assert it.fetches == 3
        await it.each_second(80, storm)
        assert it.keeper.fresh_tokens_do_not_help
        await it.each_second(3600, storm)
        assert it.fetches <= 10
        await it.accepts("b")
        assert not it.keeper.fresh_tokens_do_not_help
        assert await it.generation_for("a") == it.generation  # others are content


async def test_a_rejection_that_nothing_was_planned_for_hides_no_dead_token_either() -> None:
    async with given(life=None) as it:
        await it.accepts("b")
        await it.rejects("a")
        await it.rejects("a")
        await it.rejects("b", generation=1)  # an old session; now nobody is content
        before = it.fetches
        await it.each_second(70, lambda: _attempt(it))
        assert it.fetches > before
