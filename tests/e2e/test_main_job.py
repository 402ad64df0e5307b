"""The main job: a token, a subscription, every row in Kafka, whatever happens to token and socket."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import anyio
import pytest

from tests.brokers.cluster import KafkaCluster
from tests.e2e.stage import Stage, open_stage
from tests.slow import first_of
from tests.standins.behaviour import Close, Fin, InConnection, Rst
from tests.standins.feed import Feed

SUBPROTOCOLS = ("graphql-transport-ws", "graphql-ws")


async def test_rows_arrive_unchanged_until_a_signal(stage: Stage) -> None:
    feed = stage.upstream.feed
    async with stage.start(stage.config()) as connector:
        await connector.until_metric("connector_rows_acked_total", lambda acked: acked > 1000)
        assert await connector.stop() == 0

    records = await stage.assert_exact(feed)
    assert len(records) > 1000
    assert not stage.upstream.violations


@pytest.mark.parametrize("subprotocol", SUBPROTOCOLS)
async def test_either_subprotocol_may_be_demanded(stage: Stage, subprotocol: str) -> None:
    config = stage.config(endpoint={"subprotocol": subprotocol})
    async with stage.start(config) as connector:
        await connector.until_metric("connector_rows_acked_total", lambda acked: acked > 100)
        assert await connector.stop() == 0

    assert {session.wire.subprotocol for session in stage.upstream.sessions} == {subprotocol}
    await stage.assert_exact(stage.upstream.feed)


@pytest.mark.parametrize("place", first_of(["url", "header", "init"]))
async def test_the_token_goes_where_it_is_wanted(
    stage: Stage, place: Literal["url", "header", "init"]
) -> None:
    names = {"url": "token", "header": "Authorization", "init": "Authorization"}
    stage.upstream.behave(credentials_in=place, credentials_name=names[place])
    config = stage.config(endpoint={"credentials": {"in": place}})
    async with stage.start(config) as connector:
        await connector.until_metric("connector_rows_acked_total", lambda acked: acked > 100)
        assert await connector.stop() == 0
    await stage.assert_exact(stage.upstream.feed)


@pytest.mark.takes(75)
@pytest.mark.slow
@pytest.mark.parametrize("subprotocol", SUBPROTOCOLS)
async def test_a_minute_of_short_tokens_and_lost_sockets_loses_nothing_that_was_written(
    kafka: KafkaCluster, tmp_path: Path, topic_name: Callable[[], str], subprotocol: str
) -> None:
    feeds = [Feed("bsc", rate=500), Feed("eth", rate=200, rows_per_frame=1), Feed("base", rate=300)]
    async with open_stage(kafka, tmp_path, topic_name(), *feeds, life=5) as stage:
        config = stage.config(endpoint={"subprotocol": subprotocol, "rotation": "reopen"})
        async with stage.start(config) as connector:
            await connector.until_state("bsc", "live")
            kinds: tuple[InConnection, ...] = (Close(1012), Fin(), Close(1001), Fin(), Rst())
            troubles = itertools.cycle(kinds)
            with anyio.move_on_after(60):
                while True:
                    await anyio.sleep(3.7)  # a moment that is no multiple of the tokens' life
                    trouble = next(troubles)
                    # Only one feed suffers resets, since what a reset destroys is its own case.
                    others = ("bsc", "eth")[len(stage.upstream.sessions) % 2]
                    stage.upstream.begin(trouble, feed="base" if isinstance(trouble, Rst) else others)
            assert len(stage.authority.issued) >= 10
            assert await connector.metric("connector_reconnects_total", reason="reopen") >= 20
            assert await connector.metric("connector_uncovered_seconds_total") > 0
            assert await connector.stop() == 0
        for feed in feeds:
            await stage.assert_exact(feed)
        rst = feeds[2].ledger
        print(f"{subprotocol}: of an RST: {len(rst.rst)} rows written, apart: {rst.summary()}")
        assert not stage.upstream.violations
