"""One token and several who use it: whose rejections lead to a fresh one, and who is held up."""

from __future__ import annotations

import anyio
import pytest
from structlog.testing import capture_logs

from connector.auth import Grant
from connector.auth.rejections import AT_ONCE, AT_ONCE_EVERY, Rejections

from .fakes import BUSY, REFUSED
from .scenario import TOKEN, given


async def test_one_that_is_refused_with_every_token_costs_one_token_while_another_is_content() -> None:
    async with given(life=None) as it:
        await it.accepts("good")
        await it.each_second(3000, lambda: it.keeper.reject(it.generation, by="bad"))
        assert it.fetches == 2
        assert (it.state, it.error, it.alarm) == ("valid", None, False)


async def test_it_is_given_the_same_token_again_and_holds_nobody_up() -> None:
    async with given(life=None) as it:
        await it.accepts("good")
        await it.rejects("bad")
        await it.rejects("bad")
        assert [await it.generation_for(who) for who in ("bad", "good", "new")] == [2, 2, 2]


async def test_who_had_it_only_since_another_was_content_gets_a_fresh_one_once_that_one_ends() -> None:
    async with given(life=None) as it:
        await it.accepts("good")
        await it.rejects("bad")
        await it.rejects("bad")
        assert await it.generation_for("bad") == 2
        it.keeper.forget("good")
        assert await it.generation_for("bad") is None
        await it.passes(10)
        assert await it.generation_for("bad") == 3
        assert it.fetches == 3


async def test_nobody_but_who_had_it_rejected_waits_for_the_next_token() -> None:
    async with given(life=None) as it:
        await it.rejects("one")
        await it.rejects("one")
        assert await it.generation_for("one") is None
        assert await it.generation_for("another") == 2
        await it.rejects("another")
        assert await it.generation_for("another") is None
        await it.passes(6)
        assert (await it.generation_for("one"), await it.generation_for("another")) == (3, 3)


async def test_all_wait_for_the_fetch_that_a_first_rejection_leads_to() -> None:
    gate = anyio.Event()
    async with given(TOKEN, gate, life=None) as it:
        await it.accepts("good")
        await it.rejects("one")
        assert await it.generation_for("good") is None
        assert it.state == "rejected"
        gate.set()
        await it.settles()
        assert await it.generation_for("good") == 2


@pytest.mark.parametrize("failure", [BUSY, REFUSED])
async def test_while_the_endpoint_fails_the_old_token_serves_all_but_who_had_it_rejected(
    failure: Exception,
) -> None:
    async with given(TOKEN, then=failure, life=None) as it:
        await it.rejects("one")
        assert await it.generation_for("another") == 1
        assert await it.generation_for("one") is None
        await it.accepts("another")
        assert await it.generation_for("one") == 1
        assert it.state == ("refused" if failure is REFUSED else "rejected")


async def test_a_fresh_token_that_another_takes_is_not_replaced() -> None:
    async with given(life=None) as it:
        await it.rejects("one")
        await it.rejects("one")  # a fetch is planned
        await it.accepts("another")
        await it.passes(4000)
        assert it.fetches == 2
        assert await it.generation_for("one") == 2


async def test_once_nobody_is_content_any_more_the_next_rejection_counts() -> None:
    async with given(life=None) as it:
        await it.accepts("good")
        await it.rejects("bad")
        await it.rejects("bad")
        await it.rejects("good")
        assert it.state == "rejected"
        await it.passes(6)
        assert it.generation == 3


async def test_late_news_of_an_old_token_still_says_that_its_user_is_not_content() -> None:
    async with given(life=None) as it:
        await it.accepts("two")
        await it.rejects("one")
        await it.rejects("two", generation=1)
        assert it.fetches == 2
        await it.rejects("one")
        await it.passes(6)
        assert it.fetches == 3


async def test_word_that_an_older_token_was_accepted_makes_nobody_content() -> None:
    async with given(life=None) as it:
        await it.rejects("one")
        await it.rejects("two")
        await it.accepts("two", generation=1)
        await it.passes(6)
        assert it.fetches == 3
        await it.rejects("one")
        await it.passes(12)
        assert it.fetches == 4


async def test_who_has_ended_vouches_for_nothing() -> None:
    async with given(life=None) as it:
        await it.accepts("gone")
        it.keeper.forget("gone")
        await it.rejects("one")
        await it.rejects("one")
        assert it.state == "rejected"
        await it.passes(6)
        assert it.generation == 3


async def test_a_dead_copied_token_is_given_to_nobody_twice_in_a_row_unless_somebody_is_content() -> None:
    async with given(then=Grant(access_token="copied")) as it:
        await it.accepts("good")
        await it.rejects("one")
        assert (it.generation, await it.generation_for("one")) == (1, 1)
        await it.rejects("good")
        assert (await it.generation_for("one"), await it.generation_for("good")) == (None, None)
        await it.passes(7)
        assert it.generation == 2


# Accepted and rejected in turn


async def test_one_that_takes_each_token_and_then_refuses_it_gets_fresh_ones_minutes_apart() -> None:
    async with given(life=None) as it:
        await it.accepts("good")
        for _ in range(1200):
            generation = it.generation
            it.keeper.accept(generation, by="flapping")
            it.keeper.reject(generation, by="flapping")
            await it.passes(3)
        assert [round(gap, -1) for gap in it.gaps[:4]] == [0, 60, 120, 240]
        assert min(it.gaps[4:]) >= 285


async def test_tokens_that_are_accepted_and_rejected_within_seconds_are_replaced_ever_more_slowly() -> None:
    async with given(life=None) as it:

        def flap(generation: int) -> None:
            it.keeper.accept(generation)
            it.keeper.reject(generation)

        await it.each_second(AT_ONCE, it.with_each_token(flap))
        assert it.generation == AT_ONCE + 1
        await it.each_second(1200, it.with_each_token(flap))
        usual = 600 / AT_ONCE_EVERY
        assert usual - 2 <= it.fetches_in_last(600) <= usual + 2
        await it.accepts()
        await it.passes(3 * AT_ONCE_EVERY)
        before = it.generation
        await it.rejects()
        assert it.generation == before + 1


async def test_each_new_trouble_begins_with_the_shortest_wait() -> None:
    async with given(life=None) as it:
        for _ in range(AT_ONCE - 1):
            await it.accepts()
            await it.rejects()
            before = it.generation
            await it.rejects()  # the fresh one, too
            await it.passes(6)
            assert it.generation == before + 1


async def test_where_every_second_token_is_accepted_for_a_moment_there_are_few_fetches() -> None:
    async with given(life=None) as it:

        def judge(generation: int) -> None:
            if generation % 2:
                it.keeper.accept(generation)
            it.keeper.reject(generation)

        await it.each_second(1200, it.with_each_token(judge))
        # One at once for each that was accepted, and one after a wait for each that was not.
        assert it.fetches_in_last(600) <= 2 * 600 / AT_ONCE_EVERY + 2


# What is told


async def test_the_alarm_is_for_fresh_tokens_rejected_and_for_an_endpoint_that_refuses() -> None:
    with capture_logs() as lines:
        async with given(TOKEN, TOKEN, TOKEN, REFUSED, life=None) as it:
            await it.rejects()
            assert not it.alarm
            await it.rejects()
            assert it.alarm
            await it.passes(6)
            await it.accepts()
            assert not it.alarm
            await it.passes(AT_ONCE_EVERY)
            await it.rejects()
            assert it.alarm
    loud = [(line["event"], line["log_level"]) for line in lines if "rejected" in line["event"]]
    assert loud == [("token rejected", "warning"), ("token rejected", "error"), ("token rejected", "warning")]
    assert [line["log_level"] for line in lines if line["event"] == "token endpoint refused"] == ["error"]


def test_rejections_of_unknown_generations_are_no_news() -> None:
    rejections = Rejections(clock=lambda: 0.0, rng=lambda: 0.5)
    assert rejections.note("one", 7, current=1) is None
    assert not rejections
