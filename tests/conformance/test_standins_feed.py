"""What the feeds of the stand-in upstream emit, counted on both sides."""

import asyncio
import json

import pytest

from tests.standins.behaviour import LEGACY, MODERN, Close
from tests.standins.client import plain_client
from tests.standins.feed import Feed, FrameStyle
from tests.standins.rows import RowStyle
from tests.standins.rows_in import rows_in
from tests.standins.tokens import TokenAuthority
from tests.standins.upstream import StandInUpstream

pytestmark = pytest.mark.slow  # what tests stand on, and not what they test

STYLES = [
    (RowStyle(), FrameStyle()),
    (RowStyle(spaced=True), FrameStyle(shuffled=True)),
    (RowStyle(row_bytes=3000), FrameStyle(errors=True)),
]


@pytest.mark.parametrize("subprotocol", [MODERN, LEGACY])
@pytest.mark.parametrize(("row_style", "frame_style"), STYLES)
async def test_everything_that_must_arrive_does_so_byte_for_byte(
    authority: TokenAuthority, subprotocol: str, row_style: RowStyle, frame_style: FrameStyle
) -> None:
    feed = Feed(rate=None, rows_per_frame=7, limit=700, row_style=row_style, frame_style=frame_style)
    async with StandInUpstream(authority, [feed]) as upstream:
        async with plain_client(upstream.url, authority.issue(), subprotocol=subprotocol) as client:
            await client.initialise()
            await client.subscribe()
            await client.rows(700)
        await upstream.until(lambda: not upstream.open_sessions)
    audit = feed.ledger.audit(rows_in(client.received))
    assert audit.is_exact
    assert audit.consumed == 700
    assert feed.ledger.summary()["must_arrive"] == 700


async def test_no_row_is_owed_that_was_written_after_the_clients_close(authority: TokenAuthority) -> None:
    feed = Feed(rate=None, rows_per_frame=3)
    async with StandInUpstream(authority, [feed]) as upstream:
        received = []
        for turn in range(5):
            async with plain_client(upstream.url, authority.issue()) as client:
                await client.initialise()
                await client.subscribe()
                await client.rows(300 + turn)
                reader = asyncio.create_task(client.end())
                await client.socket.close()
                await reader
                received += client.received
        await upstream.until(lambda: not upstream.open_sessions)
        assert {session.record.ending for session in upstream.sessions} == {"client close"}
        assert all(session.record.close_received == 1000 for session in upstream.sessions)
    assert feed.ledger.audit(rows_in(received)).is_exact
    assert len(feed.ledger.must_arrive()) >= 1500


async def test_a_flow_goes_on_while_nobody_listens(authority: TokenAuthority) -> None:
    feed = Feed(rate=2000, rows_per_frame=10)
    async with StandInUpstream(authority, [feed]) as upstream:
        upstream.behave(ending=Close(1001), ending_after_rows=105)
        received = []
        for turn in range(3):
            away = feed.ledger.while_away + 20
            await upstream.until(lambda away=away: feed.ledger.while_away >= away)  # type: ignore[misc]
            async with plain_client(upstream.url, authority.issue()) as client:
                await client.initialise()
                await client.subscribe()
                assert await client.end() == Close(1001)
                received += client.received
            assert len(feed.ledger.must_arrive()) == 105 * (turn + 1)
    counts = feed.ledger.summary()
    assert counts["written"] + counts["while_away"] + counts["withheld"] == counts["emitted"]
    assert counts["while_away"] >= 60
    assert feed.ledger.audit(rows_in(received)).is_exact


async def test_a_row_may_be_larger_than_the_rest_and_a_message_above_a_mebibyte(
    upstream: StandInUpstream, authority: TokenAuthority
) -> None:
    async with plain_client(upstream.url, authority.issue()) as client:
        await client.initialise()
        await client.subscribe()
        await upstream.until(lambda: upstream.live_sessions)
        upstream.feed.emit(1000, row_bytes={500: 2_000_000})
        await client.rows(1000)
    rows = list(rows_in(client.received))
    assert [len(row) for row in rows[499:502]] == [1000, 2_000_000, 1000]
    assert upstream.feed.ledger.audit(rows).is_exact


async def test_a_session_may_begin_with_a_snapshot_that_no_other_gets(
    upstream: StandInUpstream, authority: TokenAuthority
) -> None:
    feed = upstream.feed
    async with plain_client(upstream.url, authority.issue()) as first:
        await first.initialise()
        await first.subscribe()
        await upstream.until(lambda: upstream.live_sessions)
        feed.emit(10)
        upstream.behave(snapshot_rows=4)
        async with plain_client(upstream.url, authority.issue()) as second:
            await second.initialise()
            await second.subscribe()
            await second.rows(4)
            feed.emit(1)
            await second.rows(1)
        await first.rows(11)
    audit = feed.ledger.audit(rows_in([*first.received, *second.received]))
    assert audit.doubled == {6, 7, 8, 9, 10}
    assert audit.consumed == 16
    assert not audit.altered


async def test_nulls_repeats_and_revisions(upstream: StandInUpstream, authority: TokenAuthority) -> None:
    feed = upstream.feed
    feed.frame_style = FrameStyle(repeat_every=2, null_every=3)
    async with plain_client(upstream.url, authority.issue()) as client:
        await client.initialise()
        await client.subscribe()
        await upstream.until(lambda: upstream.live_sessions)
        for _ in range(6):
            feed.emit(4)
        feed.again([1, 2])
        feed.again([3], revision=1)
        await client.rows(24 + 3 + 2 + 2 + 1)
    rows = list(rows_in(client.received))
    assert rows.count(b"null") == feed.ledger.nulls_written == 2
    audit = feed.ledger.audit(row for row in rows if row != b"null")
    assert audit.doubled == {1, 2, 3, 4, 12, 20}
    assert not audit.missing | audit.altered | audit.unwritten
    assert audit.strangers == 0
    assert len(feed.ledger.exact(3)) == 2


async def test_errors_lie_beside_data(upstream: StandInUpstream, authority: TokenAuthority) -> None:
    upstream.feed.frame_style = FrameStyle(errors=True)
    async with plain_client(upstream.url, authority.issue()) as client:
        await client.initialise()
        await client.subscribe()
        await upstream.until(lambda: upstream.live_sessions)
        upstream.feed.emit(800)
        await client.rows(800)
    payload = json.loads(client.received[-1])["payload"]
    assert payload["errors"][0]["message"] == "partial failure"
    assert len(payload["data"]["EVM"]["DEXTrades"]) == 800


async def test_two_sessions_of_one_feed_get_the_same_rows(
    upstream: StandInUpstream, authority: TokenAuthority
) -> None:
    async with (
        plain_client(upstream.url, authority.issue()) as first,
        plain_client(upstream.url, authority.issue()) as second,
    ):
        for client in (first, second):
            await client.initialise()
            await client.subscribe()
        await upstream.until(lambda: len(upstream.live_sessions) == 2)
        upstream.feed.emit(5)
        assert await first.rows(5) == await second.rows(5)
    assert upstream.feed.ledger.summary()["written"] == 5
