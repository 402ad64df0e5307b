"""Every switch of the stand-in upstream does what it says, seen from a plain client."""

import asyncio
import json
import time

import pytest
from websockets.exceptions import InvalidMessage, InvalidStatus

from tests.standins.behaviour import (
    GATEWAY_FORBIDDEN,
    LEGACY,
    MODERN,
    NO_BILLING,
    TOO_MANY_SESSIONS,
    Close,
    ErrorOnConnection,
    Fin,
    HttpRefusal,
    InBandError,
    InConnection,
    Rst,
    Silence,
    Stall,
)
from tests.standins.client import PlainClient, plain_client
from tests.standins.feed import Feed
from tests.standins.rows_in import rows_in
from tests.standins.tokens import TokenAuthority
from tests.standins.upstream import StandInUpstream

pytestmark = pytest.mark.slow  # what tests stand on, and not what they test

HTTP = [
    NO_BILLING,
    GATEWAY_FORBIDDEN,
    TOO_MANY_SESSIONS,
    HttpRefusal.json(401, "Unauthorized"),
    HttpRefusal(status=503, retry_after="7"),
]


async def live(client: PlainClient, upstream: StandInUpstream) -> None:
    await client.initialise()
    before = len(upstream.live_sessions)
    await client.subscribe()
    await upstream.until(lambda: len(upstream.live_sessions) > before)


async def code_of(client: PlainClient) -> int | None:
    """The Close code that came, ``None`` where none did."""
    close = await client.end()
    return close.code if close else None


@pytest.mark.parametrize("refusal", HTTP, ids=lambda refusal: str(refusal.status))
async def test_an_upgrade_can_be_refused_with_any_status_and_body(
    upstream: StandInUpstream, authority: TokenAuthority, refusal: HttpRefusal
) -> None:
    upstream.next_connection(at_upgrade=refusal)
    with pytest.raises(InvalidStatus) as caught:
        async with plain_client(upstream.url, authority.issue()):
            pass
    answer = caught.value.response
    assert (answer.status_code, answer.body) == (refusal.status, refusal.body.encode())
    assert answer.headers.get("Content-Type") == refusal.content_type
    assert answer.headers.get("Retry-After") == refusal.retry_after
    async with plain_client(upstream.url, authority.issue()) as client:
        await client.initialise()
    assert [attempt.status for attempt in upstream.attempts] == [refusal.status, 101]


@pytest.mark.parametrize("cut", [Fin(), Rst()], ids=repr)
async def test_an_upgrade_can_be_cut(
    upstream: StandInUpstream, authority: TokenAuthority, cut: Fin | Rst
) -> None:
    upstream.next_connection(at_upgrade=cut)
    with pytest.raises((InvalidMessage, ConnectionError)):
        async with plain_client(upstream.url, authority.issue()):
            pass
    assert upstream.attempts[-1].status is None


async def test_an_upgrade_can_hang(upstream: StandInUpstream, authority: TokenAuthority) -> None:
    upstream.next_connection(hang_upgrade=True)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2), plain_client(upstream.url, authority.issue()):
            pass
    assert upstream.attempts[-1].status is None
    assert upstream.sessions == []


async def test_the_port_can_refuse_and_come_back(
    upstream: StandInUpstream, authority: TokenAuthority
) -> None:
    async with plain_client(upstream.url, authority.issue()) as open_one:
        await open_one.initialise()
        await upstream.stop_listening()
        with pytest.raises(ConnectionRefusedError):
            async with plain_client(upstream.url, authority.issue()):
                pass
        await upstream.listen()
        async with plain_client(upstream.url, authority.issue()) as client:
            await client.initialise()
        await open_one.send("ping")
        assert (await open_one.next())["type"] == "pong"


async def test_a_stale_token_is_refused_in_the_url_whatever_its_characters(
    upstream: StandInUpstream, authority: TokenAuthority
) -> None:
    token = authority.issue()
    async with plain_client(upstream.url, token) as client:
        await client.initialise()
    authority.revoke(token)
    with pytest.raises(InvalidStatus):
        async with plain_client(upstream.url, token):
            pass
    assert upstream.attempts[-1].token == token
    assert token not in repr(upstream.attempts)


async def test_the_token_may_be_wanted_in_a_header_or_in_the_init_payload(
    upstream: StandInUpstream, authority: TokenAuthority
) -> None:
    token = authority.issue()
    upstream.behave(credentials_in="header")
    async with plain_client(upstream.url, headers={"Authorization": f"Bearer {token}"}) as client:
        await client.initialise()
    with pytest.raises(InvalidStatus):
        async with plain_client(upstream.url, token):
            pass
    upstream.behave(credentials_in="init", credentials_name="key")
    async with plain_client(upstream.url) as client:
        await client.initialise(key=token)
    async with plain_client(upstream.url) as client:
        await client.send("connection_init", payload={"key": "stale"})
        assert await code_of(client) == 4403


REFUSALS: list[tuple[InConnection, int | None]] = [
    (Close(1008, "Unauthorized"), 1008),
    (Close(4401), 4401),
    (Close(4403, "Forbidden"), 4403),
    (ErrorOnConnection(), 1011),
]


@pytest.mark.parametrize(("refusal", "code"), REFUSALS, ids=repr)
async def test_a_stale_token_can_be_refused_at_init(
    upstream: StandInUpstream, authority: TokenAuthority, refusal: InConnection, code: int
) -> None:
    upstream.behave(refusal=refusal)
    async with plain_client(upstream.url, "stale", subprotocol=LEGACY) as client:
        await client.send("connection_init")
        assert await code_of(client) == code
    if isinstance(refusal, ErrorOnConnection):
        assert json.loads(client.received[0]) == {
            "type": "connection_error",
            "payload": {"message": "Unauthorized"},
        }


FORMS = {
    "frame": lambda message: (
        message["type"] == "error" and message["payload"][0]["message"] == "Unauthorized"
    ),
    "errors": lambda message: message["payload"]["errors"][0]["message"] == "Unauthorized",
    "data": lambda message: message["payload"]["data"]["type"] == "error",
}


@pytest.mark.parametrize("form", FORMS)
async def test_a_stale_token_can_be_refused_in_band_in_three_forms(
    upstream: StandInUpstream, authority: TokenAuthority, form: str
) -> None:
    upstream.behave(refusal=InBandError(form=form, ends=True))  # type: ignore[arg-type]
    async with plain_client(upstream.url, "stale") as client:
        await client.initialise()
        await client.subscribe()
        assert FORMS[form](await client.next())


async def test_an_open_socket_outlives_its_token_unless_told_otherwise(
    upstream: StandInUpstream, authority: TokenAuthority
) -> None:
    for closes in (False, True):
        upstream.behave(closes_at_expiry=closes)
        token = authority.issue()
        async with plain_client(upstream.url, token) as client:
            await live(client, upstream)
            authority.revoke(token)
            if closes:
                assert await code_of(client) == 4403
            else:
                upstream.feed.emit(1)
                await client.rows(1)


@pytest.mark.parametrize("code", [1001, 1008, 1011, 1012, 1013, 4400, 4401, 4403, 4408, 4429])
async def test_it_closes_with_any_code_after_exactly_so_many_rows(
    upstream: StandInUpstream, authority: TokenAuthority, code: int
) -> None:
    upstream.behave(ending=Close(code, "enough"), ending_after_rows=7)
    async with plain_client(upstream.url, authority.issue()) as client:
        await live(client, upstream)
        upstream.feed.emit(10)
        assert await code_of(client) == code
    assert len(list(rows_in(client.received))) == 7
    assert upstream.feed.ledger.must_arrive() == set(range(7))
    assert upstream.feed.ledger.withheld == 3


async def test_a_fin_comes_after_every_row_and_without_a_close(
    upstream: StandInUpstream, authority: TokenAuthority
) -> None:
    async with plain_client(upstream.url, authority.issue()) as client:
        await live(client, upstream)
        for _ in range(12):  # more than the kernel buffers hold
            upstream.feed.emit(1000)
        upstream.begin(Fin())
        await client.rows(12_000)
        assert await client.end() is None
    assert upstream.sessions[0].record.ending == "fin"
    assert upstream.feed.ledger.must_arrive() == set(range(12_000))


async def test_a_reset_is_kept_apart(upstream: StandInUpstream, authority: TokenAuthority) -> None:
    async with plain_client(upstream.url, authority.issue()) as client:
        await live(client, upstream)
        upstream.feed.emit(10)
        await client.rows(10)
        upstream.begin(Rst())
        assert await code_of(client) is None
    assert upstream.sessions[0].record.ending == "rst"
    assert len(upstream.feed.ledger.must_arrive()) == 0
    assert upstream.feed.ledger.rst == set(range(10))


async def test_a_client_that_aborts_is_told_from_one_that_closes(
    upstream: StandInUpstream, authority: TokenAuthority
) -> None:
    async with plain_client(upstream.url, authority.issue()) as client:
        await live(client, upstream)
        upstream.feed.emit(1)
        client.socket.transport.abort()
    async with plain_client(upstream.url, authority.issue()) as client:
        await live(client, upstream)
    await upstream.until(lambda: all(s.record.ended_at for s in upstream.sessions))
    assert [s.record.ending for s in upstream.sessions] == ["client abort", "client close"]
    assert upstream.feed.ledger.aborted == {0}


async def test_a_stalled_connection_neither_writes_nor_reads_and_can_resume(
    upstream: StandInUpstream, authority: TokenAuthority
) -> None:
    upstream.behave(keepalive_interval=0.02)
    async with plain_client(upstream.url, authority.issue()) as client:
        await live(client, upstream)
        upstream.begin(Stall())
        await client.during(0.1)  # a keep-alive may have been on its way
        upstream.feed.emit(5)
        pong = asyncio.ensure_future(await client.socket.ping())
        assert await client.during(0.3) == []
        assert not pong.done()
        assert upstream.feed.ledger.withheld == 5
        upstream.sessions[0].resume()
        upstream.feed.emit(5)
        await client.rows(5)
        await pong


@pytest.mark.parametrize("keepalive", [True, False])
async def test_silence_keeps_or_drops_the_keep_alives(
    upstream: StandInUpstream, authority: TokenAuthority, keepalive: bool
) -> None:
    upstream.behave(keepalive_interval=0.02, at_subscribe=Silence(keepalive))
    async with plain_client(upstream.url, authority.issue()) as client:
        await live(client, upstream)
        upstream.feed.emit(5)
        received = await client.during(0.3)
    assert "next" not in received
    assert len(received) > 3 if keepalive else len(received) <= 1


async def test_it_may_never_ack(upstream: StandInUpstream, authority: TokenAuthority) -> None:
    upstream.behave(instead_of_ack=Silence(), keepalive_interval=0.02)
    async with plain_client(upstream.url, authority.issue()) as client:
        await client.send("connection_init")
        assert await client.during(0.2) == []


async def test_websocket_pings_can_be_the_only_sign_of_life(
    upstream: StandInUpstream, authority: TokenAuthority
) -> None:
    upstream.behave(keepalive="websocket ping", keepalive_interval=0.02)
    async with plain_client(upstream.url, authority.issue()) as client:
        await client.initialise()
        assert await client.during(0.2) == []
        assert client.socket.state.name == "OPEN"


async def test_a_session_above_the_cap_is_acked_and_stays_silent(
    upstream: StandInUpstream, authority: TokenAuthority
) -> None:
    upstream.stream_cap = 1
    async with (
        plain_client(upstream.url, authority.issue()) as first,
        plain_client(upstream.url, authority.issue()) as second,
    ):
        await live(first, upstream)
        await live(second, upstream)
        upstream.feed.emit(4)
        await first.rows(4)
        assert await second.during(0.1) == []
    assert [session.is_silent for session in upstream.sessions] == [False, True]


async def test_a_slow_reader_is_closed_with_1013(
    upstream: StandInUpstream, authority: TokenAuthority
) -> None:
    upstream.behave(overflow_bytes=100_000)
    async with plain_client(upstream.url, authority.issue()) as client:
        await live(client, upstream)
        while upstream.live_sessions:
            upstream.feed.emit(100)
        assert await code_of(client) == 1013
    assert len(list(rows_in(client.received))) == len(upstream.feed.ledger.must_arrive())


async def test_one_feed_misbehaves_and_its_sibling_does_not(
    upstream: StandInUpstream, authority: TokenAuthority
) -> None:
    sibling = upstream.add_feed(Feed("calm", rate=0))
    upstream.behave(feed="rows", ending=Close(1011), ending_after_rows=1)
    async with (
        plain_client(upstream.url, authority.issue()) as troubled,
        plain_client(upstream.url, authority.issue()) as calm,
    ):
        await live(troubled, upstream)
        await calm.initialise()
        await calm.subscribe("subscription calm { EVM { DEXTrades { Hash } } }")
        await upstream.until(lambda: sibling.listeners)
        upstream.feed.emit(1)
        assert await code_of(troubled) == 1011
        sibling.emit(3)
        await calm.rows(3)


async def test_a_planned_trouble_of_a_feed_happens_once(
    upstream: StandInUpstream, authority: TokenAuthority
) -> None:
    upstream.next_connection(feed="rows", at_subscribe=Close(4400))
    async with plain_client(upstream.url, authority.issue()) as client:
        await client.initialise()
        await client.subscribe()
        assert await code_of(client) == 4400
    async with plain_client(upstream.url, authority.issue()) as client:
        await live(client, upstream)


async def test_an_ending_after_seconds(upstream: StandInUpstream, authority: TokenAuthority) -> None:
    upstream.behave(ending=Close(1012), ending_after_seconds=0.1)
    async with plain_client(upstream.url, authority.issue(), subprotocol=MODERN) as client:
        begun = time.monotonic()
        await client.initialise()
        await client.subscribe()
        assert await code_of(client) == 1012
    assert time.monotonic() - begun >= 0.1
