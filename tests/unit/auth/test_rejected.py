"""A keeper whose token is rejected: what is fetched, when, and what is handed out meanwhile."""

from __future__ import annotations

from itertools import pairwise

import anyio

from connector.auth import Grant, Keeper

from .fakes import BUSY, REFUSED, FakeSource, FakeTime
from .scenario import TOKEN, given

FIXED = Grant(access_token="fixed")


async def test_a_rejected_token_is_replaced_at_once_by_one_fetch() -> None:
    async with given(life=100) as it:
        for _ in range(10):
            it.keeper.reject(1)
        assert it.state == "rejected"
        assert (await it.keeper.newer_than(1)).value == "token-2"
        await it.rejects(generation=1)
        await it.passes(60)
        assert (it.fetches, it.error) == (2, None)


async def test_a_rejected_token_is_never_handed_out() -> None:
    async with given(TOKEN, then=BUSY, life=100) as it:
        it.keeper.reject(1)
        somebody = await it.asks()
        await it.passes(500)
        assert somebody.token is None
        it.source.default = TOKEN
        await it.passes(61)
        assert somebody.generation == 2


async def test_a_fetch_that_runs_already_is_the_one_that_a_rejection_asks_for() -> None:
    gate = anyio.Event()
    async with given(TOKEN, gate, life=100) as it:
        await it.passes(81)
        await it.rejects()
        gate.set()
        assert (await it.keeper.newer_than(1)).generation == 2
        await it.passes(10)
        assert it.fetches == 2


async def test_a_failing_endpoint_is_not_asked_sooner_for_a_rejection() -> None:
    async with given(TOKEN, then=REFUSED, life=100, rng=lambda: 0.0) as it:
        await it.passes(76)
        assert it.fetches == 2
        await it.rejects()
        await it.passes(58)
        assert (it.fetches, it.state) == (2, "refused")
        await it.passes(2)
        assert it.fetches == 3


async def test_fresh_tokens_rejected_again_and_again_are_fetched_after_growing_waits() -> None:
    async with given(life=None, rng=lambda: 0.0) as it:
        await it.each_second(3600, lambda: it.keeper.reject(it.generation))
        # The second rejection comes a second after the first; five seconds later the next fetch.
        assert [round(gap) for gap in it.gaps[:9]] == [0, 6, 10, 20, 40, 80, 160, 240, 240]
        assert it.error is not None
        assert "rejects fresh tokens" in it.error


async def test_accepting_a_token_forgets_earlier_rejections() -> None:
    async with given(life=None) as it:
        for _ in range(3):
            await it.rejects()
            await it.passes(30)
        await it.accepts()
        assert it.error is None
        await it.passes(60)
        before = it.generation
        await it.rejects()
        assert it.generation == before + 1


async def test_accepting_an_older_token_than_was_rejected_forgets_nothing() -> None:
    async with given(life=None, rng=lambda: 0.0) as it:
        await it.rejects()
        await it.passes(1)
        await it.rejects()
        await it.accepts(generation=1)
        await it.passes(4)
        assert it.fetches == 2
        await it.passes(2)
        assert it.fetches == 3
        await it.rejects()
        await it.passes(9)
        assert it.fetches == 3
        await it.passes(2)
        assert it.fetches == 4


async def test_tokens_accepted_and_rejected_in_turn_are_fetched_once_a_second_at_most() -> None:
    async with given(life=None) as it:
        for _ in range(1000):
            it.keeper.accept(it.generation)
            it.keeper.reject(it.generation)
            await it.passes(0.01)
        assert it.fetches <= 12


async def test_a_source_with_one_token_gives_it_again_as_a_new_generation_after_growing_waits() -> None:
    async with given(then=FIXED, rng=lambda: 0.0) as it:
        handed_out: list[float] = []
        for _ in range(2000):
            if it.state == "valid":
                handed_out.append(it.now)
                token = await it.keeper.token()
                assert (token.value, token.generation) == ("fixed", len(handed_out))
                it.keeper.reject(token.generation)
            await it.passes(1)
        gaps = [round(later - earlier) for earlier, later in pairwise(handed_out)]
        assert gaps[:8] == [5, 10, 20, 40, 80, 160, 240, 240]


async def test_a_source_that_changes_by_itself_is_read_at_once_and_starts_afresh() -> None:
    async with given(then=FIXED) as it:
        await it.each_second(200, lambda: it.keeper.reject(it.generation))
        before = it.generation
        await it.source_changes(Grant(access_token="other"))
        token = await it.keeper.newer_than(before)
        assert (token.value, it.state, it.error) == ("other", "valid", None)


async def test_unknown_generations_are_no_news() -> None:
    keeper = Keeper(FakeSource(FakeTime()))
    keeper.reject(0)
    keeper.accept(0)
    async with given() as it:
        await it.rejects(generation=7)
        assert it.state == "valid"


async def test_who_had_the_token_for_one_that_is_no_longer_content_gets_another() -> None:
    async with given(life=None) as it:
        await it.accepts("b")
        await it.rejects("a")
        await it.rejects("a")
        assert await it.generation_for("a") == 2
        await it.rejects("b", generation=1)
        assert await it.generation_for("a") is None
        await it.passes(10)
        assert (it.fetches, await it.generation_for("a")) == (3, 3)


async def test_where_that_one_is_content_again_no_other_is_fetched() -> None:
    async with given(life=None) as it:
        await it.accepts("b")
        await it.rejects("a")
        await it.rejects("a")
        await it.rejects("b", generation=1)
        await it.accepts("b")
        await it.passes(100)
        assert (it.fetches, await it.generation_for("a")) == (2, 2)
