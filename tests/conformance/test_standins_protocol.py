"""The stand-in upstream keeps to both subprotocols, as npm's PROTOCOL.md and the legacy protocol say."""

import json

import pytest

from tests.standins.behaviour import LEGACY, MODERN, Close
from tests.standins.client import plain_client
from tests.standins.feed import Feed
from tests.standins.tokens import TokenAuthority
from tests.standins.upstream import StandInUpstream

pytestmark = pytest.mark.slow  # what tests stand on, and not what they test

BOTH = pytest.mark.parametrize("subprotocol", [MODERN, LEGACY])


@BOTH
async def test_rows_flow_after_init_and_subscribe(
    upstream: StandInUpstream, authority: TokenAuthority, subprotocol: str
) -> None:
    async with plain_client(upstream.url, authority.issue(), subprotocol=subprotocol) as client:
        assert client.socket.subprotocol == subprotocol
        await client.initialise()
        await client.subscribe()
        await upstream.until(lambda: upstream.live_sessions)
        assert upstream.feed.emit(3) == range(3)
        message = await client.next()
    assert message["type"] == ("data" if subprotocol == LEGACY else "next")
    assert message["id"] == "1"
    assert len(message["payload"]["data"]["EVM"]["DEXTrades"]) == 3
    assert upstream.violations == []


@pytest.mark.parametrize("offered", [None, "mqtt"])
async def test_no_subprotocol_in_common_is_4406(
    upstream: StandInUpstream, authority: TokenAuthority, offered: str | None
) -> None:
    async with plain_client(upstream.url, authority.issue(), subprotocol=offered) as client:
        assert await client.end() == Close(4406, "Subprotocol not acceptable")


async def test_subscribing_before_the_ack_is_4401(
    upstream: StandInUpstream, authority: TokenAuthority
) -> None:
    async with plain_client(upstream.url, authority.issue()) as client:
        await client.subscribe()
        assert await client.end() == Close(4401, "Unauthorized")
    assert upstream.violations == ["subscribe before the ack"]


async def test_a_second_init_is_4429(upstream: StandInUpstream, authority: TokenAuthority) -> None:
    async with plain_client(upstream.url, authority.issue()) as client:
        await client.initialise()
        await client.send("connection_init")
        assert await client.end() == Close(4429, "Too many initialisation requests")


async def test_no_init_in_time_is_4408(upstream: StandInUpstream, authority: TokenAuthority) -> None:
    upstream.behave(init_timeout=0.1)
    async with plain_client(upstream.url, authority.issue()) as client:
        assert await client.end() == Close(4408, "Connection initialisation timeout")


async def test_an_id_in_use_is_4409(upstream: StandInUpstream, authority: TokenAuthority) -> None:
    async with plain_client(upstream.url, authority.issue()) as client:
        await client.initialise()
        await client.subscribe()
        await client.subscribe()
        assert await client.end() == Close(4409, "Subscriber for 1 already exists")


@pytest.mark.parametrize(
    "raw", ["no json", "[]", '{"id":"1"}', '{"type":"start"}', '{"type":"subscribe","id":"1"}', b"{}"]
)
async def test_what_is_no_message_is_4400(
    upstream: StandInUpstream, authority: TokenAuthority, raw: str | bytes
) -> None:
    async with plain_client(upstream.url, authority.issue()) as client:
        await client.initialise()
        await client.socket.send(raw)
        assert await client.end() == Close(4400, "Invalid message received")


async def test_a_ping_is_answered_with_its_payload(
    upstream: StandInUpstream, authority: TokenAuthority
) -> None:
    async with plain_client(upstream.url, authority.issue()) as client:
        await client.initialise()
        await client.send("ping", payload={"n": 1})
        assert await client.next() == {"type": "pong", "payload": {"n": 1}}


async def test_the_legacy_protocol_answers_a_mistake_in_band(
    upstream: StandInUpstream, authority: TokenAuthority
) -> None:
    async with plain_client(upstream.url, authority.issue(), subprotocol=LEGACY) as client:
        await client.initialise()
        await client.send("subscribe", id="1", payload={"query": "subscription { EVM }"})
        assert (await client.next())["type"] == "error"
    assert upstream.violations == ["unknown message type 'subscribe'"]


async def test_the_legacy_terminate_ends_the_connection(
    upstream: StandInUpstream, authority: TokenAuthority
) -> None:
    async with plain_client(upstream.url, authority.issue(), subprotocol=LEGACY) as client:
        await client.send("connection_terminate")
        assert await client.end() == Close(1000)


@BOTH
async def test_a_stop_is_ignored_as_the_vendor_does_unless_told_otherwise(
    upstream: StandInUpstream, authority: TokenAuthority, subprotocol: str
) -> None:
    upstream.next_connection()
    upstream.next_connection(on_stop="completes")
    for kinds in (["data", "data"], ["complete"]):
        async with plain_client(upstream.url, authority.issue(), subprotocol=subprotocol) as client:
            await client.initialise()
            await client.subscribe()
            await client.send("stop" if client.legacy else "complete", id="1")
            session = upstream.sessions[-1]
            stopped = {"stop", "complete"}
            await upstream.until(lambda s=session, k=stopped: k & {m["type"] for m in s.received})  # type: ignore[misc]
            for _ in range(2):
                upstream.feed.emit(1)
            got = [(await client.next())["type"].replace("next", "data") for _ in kinds]
            assert got == kinds


@pytest.mark.parametrize(("subprotocol", "usual"), [(MODERN, {"type": "pong"}), (LEGACY, {"type": "ka"})])
async def test_keep_alives_are_ka_or_an_unsolicited_pong(
    upstream: StandInUpstream, authority: TokenAuthority, subprotocol: str, usual: dict[str, str]
) -> None:
    upstream.behave(keepalive_interval=0.05)
    async with plain_client(upstream.url, authority.issue(), subprotocol=subprotocol) as client:
        await client.initialise()
        assert [await client.next() for _ in range(2)] == [usual, usual]


@BOTH
async def test_messages_may_come_before_the_ack(
    upstream: StandInUpstream, authority: TokenAuthority, subprotocol: str
) -> None:
    upstream.behave(before_ack=("ka", "ping", "pong"))
    async with plain_client(upstream.url, authority.issue(), subprotocol=subprotocol) as client:
        assert await client.initialise() == ["ka", "ping", "pong"]


async def test_the_feed_is_chosen_by_operation_variable_or_cube(upstream: StandInUpstream) -> None:
    for name in ("bsc", "Transfers"):
        upstream.add_feed(Feed(name, rate=0))
    assert upstream.feed_for({"query": "subscription bsc { EVM { X } }"}) is upstream.feeds["bsc"]
    assert upstream.feed_for({"query": "{ EVM }", "operationName": "bsc"}) is upstream.feeds["bsc"]
    assert upstream.feed_for({"query": "{ EVM }", "variables": {"n": "bsc"}}) is upstream.feeds["bsc"]
    assert upstream.feed_for({"query": "{ EVM { Transfers { X } } }"}) is upstream.feeds["Transfers"]
    assert upstream.feed_for({"query": "{ EVM { Blocks { X } } }"}) is None


async def test_odd_envelopes_are_still_json(upstream: StandInUpstream, authority: TokenAuthority) -> None:
    upstream.behave(payload_first=True, spaced=True)
    async with plain_client(upstream.url, authority.issue()) as client:
        await client.initialise()
        await client.subscribe()
        await upstream.until(lambda: upstream.live_sessions)
        upstream.feed.emit(2)
        await client.rows(2)
        raw = client.received[-1]
    assert list(json.loads(raw)) == ["payload", "id", "type"]
    assert raw.startswith(b" {\n")
