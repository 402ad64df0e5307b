"""One token and several who use it: whose rejections lead to a fresh one, and who is held up."""

from __future__ import annotations

from itertools import pairwise

import anyio
import pytest
from structlog.testing import capture_logs

from connector.auth import Grant, Keeper
from connector.auth.rejections import AT_ONCE, AT_ONCE_EVERY, Rejections

from .fakes import BUSY, REFUSED, FakeSource, FakeTime, keeping, settle


async def given(keeper: Keeper, by: str) -> int | None:
    found: list[int] = []

    async def ask() -> None:
        found.append((await keeper.token(by=by)).generation)

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        await settle()
        group.cancel_scope.cancel()
    return found[0] if found else None


async def test_one_that_is_refused_with_every_token_costs_one_token_while_another_is_content() -> None:
    time = FakeTime()
    source = FakeSource(time, life=None)
    async with keeping(source) as keeper:
        keeper.accept(1, by="good")
        for _ in range(3000):
            keeper.reject(keeper.status.generation, by="bad")
            await time.advance(1)
        assert len(source.fetched_at) == 2
        assert (keeper.status.state, keeper.status.last_error, keeper.status.alarm) == ("valid", None, False)


async def test_it_is_given_the_same_token_again_and_holds_nobody_up() -> None:
    time = FakeTime()
    source = FakeSource(time, life=None)
    async with keeping(source) as keeper:
        keeper.accept(1, by="good")
        keeper.reject(1, by="bad")
        await settle()
        keeper.reject(2, by="bad")
        assert await given(keeper, "bad") == 2
        assert await given(keeper, "good") == 2
        assert await given(keeper, "new") == 2


async def test_who_had_it_only_since_another_was_content_gets_a_fresh_one_once_that_one_ends() -> None:
    time = FakeTime()
    source = FakeSource(time, life=None)
    async with keeping(source) as keeper:
        keeper.accept(1, by="good")
        for generation in (1, 2):
            keeper.reject(generation, by="bad")
            await settle()
        assert await given(keeper, "bad") == 2
        keeper.forget("good")
        assert await given(keeper, "bad") is None
        await time.advance(10)
        assert await given(keeper, "bad") == 3
        assert len(source.fetched_at) == 3


async def test_nobody_but_who_had_it_rejected_waits_for_the_next_token() -> None:
    time = FakeTime()
    source = FakeSource(time, life=None)
    async with keeping(source) as keeper:
        keeper.reject(1, by="one")
        await settle()
        keeper.reject(2, by="one")
        assert await given(keeper, "one") is None
        assert await given(keeper, "another") == 2
        keeper.reject(2, by="another")
        assert await given(keeper, "another") is None
        await time.advance(6)
        assert (await given(keeper, "one"), await given(keeper, "another")) == (3, 3)


async def test_all_wait_for_the_fetch_that_a_first_rejection_leads_to() -> None:
    time, gate = FakeTime(), anyio.Event()
    source = FakeSource(time, life=None, script=[None, gate])
    async with keeping(source) as keeper:
        keeper.accept(1, by="good")
        keeper.reject(1, by="one")
        await settle()
        assert await given(keeper, "good") is None
        assert keeper.status.state == "rejected"
        gate.set()
        await settle()
        assert await given(keeper, "good") == 2


@pytest.mark.parametrize("failure", [BUSY, REFUSED])
async def test_while_the_endpoint_fails_the_old_token_serves_all_but_who_had_it_rejected(
    failure: Exception,
) -> None:
    time = FakeTime()
    source = FakeSource(time, life=None, script=[None], default=failure)
    async with keeping(source) as keeper:
        keeper.reject(1, by="one")
        await settle()
        assert await given(keeper, "another") == 1
        assert await given(keeper, "one") is None
        keeper.accept(1, by="another")
        assert await given(keeper, "one") == 1
        assert keeper.status.state == ("refused" if failure is REFUSED else "rejected")


async def test_a_fresh_token_that_another_takes_is_not_replaced() -> None:
    time = FakeTime()
    source = FakeSource(time, life=None)
    async with keeping(source) as keeper:
        keeper.reject(1, by="one")
        await settle()
        keeper.reject(2, by="one")  # a fetch is planned
        keeper.accept(2, by="another")
        await time.advance(4000)
        assert len(source.fetched_at) == 2
        assert await given(keeper, "one") == 2


async def test_once_nobody_is_content_any_more_the_next_rejection_counts() -> None:
    time = FakeTime()
    source = FakeSource(time, life=None)
    async with keeping(source) as keeper:
        keeper.accept(1, by="good")
        keeper.reject(1, by="bad")
        await settle()
        keeper.reject(2, by="bad")
        keeper.reject(2, by="good")
        assert keeper.status.state == "rejected"
        await time.advance(6)
        assert keeper.status.generation == 3


async def test_late_news_of_an_old_token_still_says_that_its_user_is_not_content() -> None:
    time = FakeTime()
    source = FakeSource(time, life=None)
    async with keeping(source) as keeper:
        keeper.accept(1, by="two")
        keeper.reject(1, by="one")
        await settle()
        keeper.reject(1, by="two")
        assert len(source.fetched_at) == 2
        keeper.reject(2, by="one")
        await time.advance(6)
        assert len(source.fetched_at) == 3


async def test_word_that_an_older_token_was_accepted_makes_nobody_content() -> None:
    time = FakeTime()
    source = FakeSource(time, life=None)
    async with keeping(source) as keeper:
        keeper.reject(1, by="one")
        await settle()
        keeper.reject(2, by="two")
        keeper.accept(1, by="two")
        await time.advance(6)
        assert len(source.fetched_at) == 3
        keeper.reject(3, by="one")
        await time.advance(11)
        assert len(source.fetched_at) == 4


async def test_who_has_ended_vouches_for_nothing() -> None:
    time = FakeTime()
    source = FakeSource(time, life=None)
    async with keeping(source) as keeper:
        keeper.accept(1, by="gone")
        keeper.forget("gone")
        keeper.reject(1, by="one")
        await settle()
        keeper.reject(2, by="one")
        assert keeper.status.state == "rejected"
        await time.advance(6)
        assert keeper.status.generation == 3


async def test_one_that_takes_each_token_and_then_refuses_it_gets_fresh_ones_minutes_apart() -> None:
    time = FakeTime()
    source = FakeSource(time, life=None)
    async with keeping(source) as keeper:
        keeper.accept(1, by="good")
        for _ in range(1200):
            generation = keeper.status.generation
            keeper.accept(generation, by="flapping")
            keeper.reject(generation, by="flapping")
            await time.advance(3)
        gaps = [round(b - a, -1) for a, b in pairwise(source.fetched_at)]
        assert gaps[:4] == [0, 60, 120, 240]
        assert min(gaps[4:]) >= 290


async def test_tokens_that_are_accepted_and_rejected_within_seconds_are_replaced_ever_more_slowly() -> None:
    time = FakeTime()
    source = FakeSource(time, life=None)
    async with keeping(source) as keeper:

        async def flap(seconds: int) -> None:
            """A second with each token, as soon as there is one."""
            last = 0
            for _ in range(seconds):
                if keeper.status.generation > last:
                    last = keeper.status.generation
                    keeper.accept(last)
                    keeper.reject(last)
                await time.advance(1)

        await flap(AT_ONCE)
        assert keeper.status.generation == AT_ONCE + 1
        await flap(1200)
        late = [moment for moment in source.fetched_at if moment > time.now - 600]
        assert 600 / AT_ONCE_EVERY - 2 <= len(late) <= 600 / AT_ONCE_EVERY + 2
        keeper.accept(keeper.status.generation)
        await time.advance(3 * AT_ONCE_EVERY)
        before = keeper.status.generation
        keeper.reject(before)
        await settle()
        assert keeper.status.generation == before + 1


async def test_each_new_trouble_begins_with_the_shortest_wait() -> None:
    time = FakeTime()
    source = FakeSource(time, life=None)
    async with keeping(source) as keeper:
        for _ in range(AT_ONCE - 1):
            keeper.accept(keeper.status.generation)
            keeper.reject(keeper.status.generation)
            await settle()
            before = keeper.status.generation
            keeper.reject(before)  # the fresh one, too
            await time.advance(6)
            assert keeper.status.generation == before + 1


async def test_where_every_second_token_is_accepted_for_a_moment_there_are_few_fetches() -> None:
    time = FakeTime()
    source = FakeSource(time, life=None)
    async with keeping(source) as keeper:
        last = 0
        for _ in range(1200):
            if keeper.status.generation > last:
                last = keeper.status.generation
                if last % 2:
                    keeper.accept(last)
                keeper.reject(last)
            await time.advance(1)
        late = [moment for moment in source.fetched_at if moment > time.now - 600]
        # One at once for each that was accepted, and one after a wait for each that was not.
        assert len(late) <= 2 * 600 / AT_ONCE_EVERY + 2


async def test_a_dead_copied_token_is_given_to_nobody_twice_in_a_row_unless_somebody_is_content() -> None:
    time = FakeTime()
    source = FakeSource(time, default=Grant(access_token="copied"))
    async with keeping(source) as keeper:
        keeper.accept(1, by="good")
        keeper.reject(1, by="one")
        await settle()
        assert (keeper.status.generation, await given(keeper, "one")) == (1, 1)
        keeper.reject(1, by="good")
        await settle()
        assert (await given(keeper, "one"), await given(keeper, "good")) == (None, None)
        await time.advance(7)
        assert keeper.status.generation == 2


# Fresh tokens for other reasons


async def test_a_token_is_renewed_once_and_only_if_it_is_old_enough() -> None:
    time = FakeTime()
    source = FakeSource(time, life=None)
    async with keeping(source) as keeper:
        await time.advance(60)
        await keeper.renew(1, older_than=60)
        assert len(source.fetched_at) == 1
        await time.advance(1)
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(lambda: keeper.renew(1, older_than=60))
        assert len(source.fetched_at) == 2
        await keeper.renew(1, older_than=0)
        assert (len(source.fetched_at), keeper.status.generation) == (2, 2)


async def test_an_endpoint_that_fails_is_not_asked_sooner_to_renew() -> None:
    time = FakeTime()
    source = FakeSource(time, script=[None], default=REFUSED)
    async with keeping(source) as keeper:
        await time.advance(90)
        assert len(source.fetched_at) == 2
        with anyio.fail_after(5):
            await keeper.renew(1, older_than=0)
        assert len(source.fetched_at) == 2


async def test_renewing_ends_with_a_fetch_that_fails() -> None:
    renewed = anyio.Event()

    async def renew(keeper: Keeper) -> None:
        await keeper.renew(1, older_than=0)
        renewed.set()

    time = FakeTime()
    source = FakeSource(time, life=None, script=[None], default=BUSY)
    async with keeping(source) as keeper, anyio.create_task_group() as group:
        await time.advance(5)
        group.start_soon(renew, keeper)
        await time.advance(0.1)
        assert len(source.fetched_at) == 2
        assert await given(keeper, "") == 1
        assert renewed.is_set()


async def test_news_is_a_later_token_or_a_source_that_changed() -> None:
    time = FakeTime()
    source = FakeSource(time, default=Grant(access_token="copied"))
    heard: list[str] = []

    async def hear(keeper: Keeper, name: str, generation: int | None) -> None:
        await keeper.news(generation)
        heard.append(name)

    async with keeping(source) as keeper, anyio.create_task_group() as group:
        group.start_soon(hear, keeper, "later", 1)
        group.start_soon(hear, keeper, "by itself", None)
        await settle()
        keeper.reject(1)
        await time.advance(7)
        assert heard == ["later"]
        source.changes.set()
        await settle()
        assert heard == ["later", "by itself"]
        await keeper.news(1)
        group.cancel_scope.cancel()


# What is told


async def test_the_alarm_is_for_fresh_tokens_rejected_and_for_an_endpoint_that_refuses() -> None:
    time = FakeTime()
    source = FakeSource(time, life=None, script=[None, None, None, REFUSED])
    with capture_logs() as lines:
        async with keeping(source) as keeper:
            keeper.reject(1)
            await settle()
            assert not keeper.status.alarm
            keeper.reject(2)
            assert keeper.status.alarm
            await time.advance(6)
            keeper.accept(3)
            assert not keeper.status.alarm
            await time.advance(AT_ONCE_EVERY)
            keeper.reject(3)
            await settle()
            assert keeper.status.alarm
    loud = [(line["event"], line["log_level"]) for line in lines if "rejected" in line["event"]]
    assert loud == [("token rejected", "warning"), ("token rejected", "error"), ("token rejected", "warning")]
    assert [line["log_level"] for line in lines if line["event"] == "token endpoint refused"] == ["error"]


def test_rejections_of_unknown_generations_are_no_news() -> None:
    rejections = Rejections(clock=lambda: 0.0, rng=lambda: 0.5)
    assert rejections.note("one", 7, current=1) is None
    assert not rejections
