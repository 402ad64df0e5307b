"""The next token comes as early as those who use it need to go over to it."""

from __future__ import annotations

import pytest

from connector.auth.schedule import LEAST_APART

from .fakes import BUSY
from .scenario import TOKEN, given


async def test_it_is_asked_for_so_long_before_the_end_or_up_to_a_twentieth_more() -> None:
    for jitter, more in ((0.0, 0.0), (0.5, 1.5), (0.999, 2.998)):
        async with given(life=100, rng=lambda jitter=jitter: jitter) as it:  # type: ignore[misc]
            it.keeper.needed_ahead(lambda life: 0.6 * life)
            await it.passes(0)
            assert it.fetches == 1
            # The first one was there already; the next is planned with what was told.
            await it.passes(40.1)
            assert it.fetches == 2
            await it.passes(40.0 - more - 0.2)
            assert it.fetches == 2
            await it.passes(0.3)
            assert it.fetches == 3


async def test_what_its_own_life_asks_for_comes_first() -> None:
    async with given(life=100) as it:
        it.keeper.needed_ahead(lambda life: 5.0)
        await it.passes(80.1)
        assert it.fetches == 2


async def test_more_time_is_taken_from_the_token_that_is_there_and_less_given_to_the_next() -> None:
    async with given(life=100) as it:
        await it.passes(10)
        it.keeper.needed_ahead(lambda life: 70.0)
        await it.passes(10)
        it.keeper.needed_ahead(lambda life: 50.0)
        await it.passes(9.9)
        assert it.fetches == 1
        await it.passes(0.2)
        assert it.fetches == 2
        await it.passes(48.5)
        assert it.fetches == 2
        await it.passes(0.3)
        assert it.fetches == 3


async def test_where_it_should_have_come_already_it_comes_now_but_never_at_once() -> None:
    async with given(life=100) as it:
        it.keeper.needed_ahead(lambda life: 1000.0)
        await it.passes(LEAST_APART - 0.1)
        assert it.fetches == 1
        await it.passes(10)
        assert it.gaps == [pytest.approx(LEAST_APART)] * 10


async def test_a_source_in_trouble_is_not_asked_sooner() -> None:
    async with given(TOKEN, BUSY, BUSY, life=100) as it:
        await it.passes(80.1)
        assert it.fetches == 2
        waits = it.keeper.status
        it.keeper.needed_ahead(lambda life: 90.0)
        await it.settles()
        assert (it.fetches, it.keeper.status.last_error) == (2, waits.last_error)


async def test_a_token_of_unknown_life_is_left_alone() -> None:
    async with given(life=None) as it:
        it.keeper.needed_ahead(lambda life: 1e9)
        await it.passes(1e6)
        assert it.fetches == 1
