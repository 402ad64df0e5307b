"""Fresh tokens for other reasons than an end that comes near or a rejection."""

from __future__ import annotations

import anyio

from connector.auth import Grant

from .fakes import BUSY, REFUSED, FakeSource, FakeTime
from .scenario import TOKEN, given

# Asked for


async def test_a_token_is_renewed_once_and_only_if_it_is_old_enough() -> None:
    async with given(life=None) as it:
        await it.passes(60)
        await it.keeper.renew(1, older_than=60)
        assert it.fetches == 1
        await it.passes(1)
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(lambda: it.keeper.renew(1, older_than=60))
        assert it.fetches == 2
        await it.keeper.renew(1, older_than=0)
        assert (it.fetches, it.generation) == (2, 2)


async def test_an_endpoint_that_fails_is_not_asked_sooner_to_renew() -> None:
    async with given(TOKEN, then=REFUSED, life=100) as it:
        await it.passes(90)
        assert it.fetches == 2
        with anyio.fail_after(5):
            await it.keeper.renew(1, older_than=0)
        assert it.fetches == 2


async def test_renewing_ends_with_a_fetch_that_fails() -> None:
    async with given(TOKEN, then=BUSY, life=None) as it:
        await it.passes(5)
        with anyio.fail_after(5):
            await it.keeper.renew(1, older_than=0)
        assert it.fetches == 2
        assert await it.generation_for("") == 1


async def test_news_is_a_later_token_or_a_source_that_changed() -> None:
    heard: list[str] = []
    copied = Grant(access_token="copied")
    async with given(then=copied) as it, anyio.create_task_group() as group:

        async def hear(name: str, generation: int | None) -> None:
            await it.keeper.news(generation)
            heard.append(name)

        group.start_soon(hear, "later", 1)
        group.start_soon(hear, "by itself", None)
        await it.settles()
        await it.rejects()
        await it.passes(7)
        assert heard == ["later"]
        await it.source_changes(copied)
        assert heard == ["later", "by itself"]
        await it.keeper.news(1)


# Other credentials


async def test_a_healthy_keeper_asks_with_other_credentials_only_when_it_is_due() -> None:
    async with given(life=100) as it:
        await it.renewed()
        await it.passes(70)
        assert (it.fetches, await it.generation_for("")) == (1, 1)
        await it.passes(20)
        assert it.fetches == 2


async def test_one_that_is_refused_asks_at_once_with_other_credentials() -> None:
    async with given(REFUSED, REFUSED) as it:
        await it.passes(1)
        assert it.state == "refused"
        await it.renewed()
        assert it.fetches == 2
        await it.renewed()
        assert (it.fetches, it.state) == (3, "valid")


async def test_one_whose_token_still_serves_while_it_is_refused_asks_at_once_too() -> None:
    async with given(TOKEN, REFUSED, life=100) as it:
        await it.passes(85)
        assert (it.state, it.fetches) == ("valid", 2)
        await it.renewed()
        assert (it.fetches, it.error) == (3, None)


async def test_one_whose_tokens_are_rejected_asks_at_once_and_is_patient_no_more() -> None:
    async with given(life=100) as it:
        for generation in (1, 2):
            await it.rejects(generation=generation)
            await it.passes(0.1)
        assert it.generation == 2  # the third is waited for
        await it.renewed()
        assert await it.generation_for("") == 3
        await it.rejects()
        await it.passes(1.5)
        assert await it.generation_for("") == 4


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
    source = RefusesLate(FakeTime())
    source.gate = anyio.Event()
    async with given(source=source) as it:
        await it.renewed()
        await it.passes(3)
        source.gate.set()
        await it.settles()
        assert (it.fetches, it.state) == (2, "valid")
