"""`BrokerTokenProvider`: a keeper's token for those who know it by its value."""

from __future__ import annotations

from structlog.testing import capture_logs

from connector.auth import BROKERS, BrokerTokenProvider, Keeper

from .fakes import BUSY, FakeSource, FakeTime, keeping, settle


async def test_it_lends_the_current_token() -> None:
    time = FakeTime()
    async with keeping(FakeSource(time)) as keeper:
        provider = BrokerTokenProvider(keeper)
        first = await provider.token()
        assert first == await provider.token() == (await keeper.token()).value
        await time.advance(90)
        assert await provider.token() != first


async def test_a_rejected_token_is_replaced_and_an_old_one_is_no_news() -> None:
    time = FakeTime()
    source = FakeSource(time)
    async with keeping(source) as keeper:
        provider = BrokerTokenProvider(keeper)
        first = await provider.token()
        provider.rejected("somebody else's")
        await time.advance(1)
        assert len(source.fetched_at) == 1
        provider.rejected(first)
        second = await provider.token()
        assert second != first
        provider.rejected(first)
        await time.advance(1)
        assert await provider.token() == second
        assert len(source.fetched_at) == 2


async def test_brokers_that_reject_every_token_are_not_shown_many() -> None:
    time = FakeTime()
    source = FakeSource(time, life=None)
    async with keeping(source, use=BROKERS) as keeper:
        provider = BrokerTokenProvider(keeper)
        with capture_logs() as logs:
            for _ in range(600):
                if keeper.status.state == "valid":
                    provider.rejected(await provider.token())
                await time.advance(1)
        assert 4 < len(source.fetched_at) < 12
        assert provider.error is not None
        assert "issuer, audience and scope" in provider.error
        assert {line["tokens_for"] for line in logs} == {"kafka"}

        while keeper.status.state != "valid":
            await time.advance(10)
        accepted = await provider.token()
        provider.accepted(accepted)
        provider.rejected(accepted)
        assert provider.error == "a broker rejected the token"


async def test_it_tells_why_there_is_no_token() -> None:
    time = FakeTime()
    async with keeping(FakeSource(time, default=BUSY)) as keeper:
        await settle()
        assert BrokerTokenProvider(keeper).error == str(BUSY)


def test_nothing_was_lent_yet() -> None:
    provider = BrokerTokenProvider(Keeper(FakeSource(FakeTime())))
    provider.rejected("a token")
    provider.accepted("a token")
    assert provider.error is None
