"""The fault proxy, between a plain client and the stand-in upstream."""

import asyncio
import time

import pytest

from tests.standins.client import PlainClient, plain_client
from tests.standins.fixtures import StartProxy
from tests.standins.proxy import Direction, FaultProxy
from tests.standins.tokens import TokenAuthority
from tests.standins.upstream import StandInUpstream

pytestmark = pytest.mark.slow  # what tests stand on, and not what they test


def url(proxy: FaultProxy) -> str:
    return f"ws://127.0.0.1:{proxy.port}/graphql"


async def live(client: PlainClient, upstream: StandInUpstream) -> None:
    await client.initialise()
    await client.subscribe()
    await upstream.until(lambda: upstream.live_sessions)


async def test_it_passes_bytes_on_and_counts_them(
    upstream: StandInUpstream, authority: TokenAuthority, start_proxy: StartProxy
) -> None:
    proxy = await start_proxy(upstream.port)
    async with plain_client(url(proxy), authority.issue()) as client:
        await live(client, upstream)
        for _ in range(20):
            upstream.feed.emit(100)
        await client.rows(2000)
        assert proxy.open == 1
    assert proxy.accepted == 1
    assert proxy.bytes_passed["down"] > 2_000_000
    assert 0 < proxy.bytes_passed["up"] < 10_000
    await upstream.until(lambda: not upstream.open_sessions)
    assert upstream.sessions[0].record.ending == "client close"
    await upstream.until(lambda: not proxy.open)


@pytest.mark.parametrize("fault", ["fin", "rst"])
async def test_a_cut_reaches_both_ends_without_a_close(
    upstream: StandInUpstream, authority: TokenAuthority, start_proxy: StartProxy, fault: str
) -> None:
    proxy = await start_proxy(upstream.port)
    async with plain_client(url(proxy), authority.issue()) as client:
        await live(client, upstream)
        assert (proxy.fin() if fault == "fin" else proxy.rst()) == 2
        assert await client.end() is None
    await upstream.until(lambda: not upstream.open_sessions)
    assert upstream.sessions[0].record.ending == "client abort"


async def test_a_cut_towards_the_client_alone(
    upstream: StandInUpstream, authority: TokenAuthority, start_proxy: StartProxy
) -> None:
    proxy = await start_proxy(upstream.port)
    async with plain_client(url(proxy), authority.issue()) as client:
        await live(client, upstream)
        assert proxy.fin("down") == 1
        assert await client.end() is None


@pytest.mark.parametrize("directions", [("down",), ("up",), ()])
async def test_a_stall_holds_bytes_and_loses_none(
    upstream: StandInUpstream,
    authority: TokenAuthority,
    start_proxy: StartProxy,
    directions: tuple[Direction, ...],
) -> None:
    proxy = await start_proxy(upstream.port)
    async with plain_client(url(proxy), authority.issue()) as client:
        await live(client, upstream)
        proxy.stall(*directions)
        upstream.feed.emit(5)
        await client.send("ping")
        kinds = await client.during(0.2)
        assert kinds == (["next"] if directions == ("up",) else [])
        proxy.resume()
        seen = set(kinds)
        while not {"next", "pong"} <= seen:
            seen.add((await client.next())["type"])


async def test_latency_delays_each_way(
    upstream: StandInUpstream, authority: TokenAuthority, start_proxy: StartProxy
) -> None:
    proxy = await start_proxy(upstream.port)
    async with plain_client(url(proxy), authority.issue()) as client:
        await client.initialise()
        proxy.latency["up"] = proxy.latency["down"] = 0.05
        begun = time.monotonic()
        await client.send("ping")
        await client.next()
        assert time.monotonic() - begun >= 0.1


async def test_a_lag_is_of_the_connections_of_now_alone(
    upstream: StandInUpstream, authority: TokenAuthority, start_proxy: StartProxy
) -> None:
    proxy = await start_proxy(upstream.port)
    async with plain_client(url(proxy), authority.issue()) as old:
        await live(old, upstream)
        assert proxy.lag(1.0) == 1
        async with plain_client(url(proxy), authority.issue()) as new:
            await live(new, upstream)
            await upstream.until(lambda: len(upstream.live_sessions) == 2)
            begun = time.monotonic()
            upstream.feed.emit(5)
            await new.rows(5)
            assert time.monotonic() - begun < 1.0
            await old.rows(5)
            assert time.monotonic() - begun >= 1.0


async def test_rows_that_come_after_a_cut_towards_the_client_end_the_connection_of_the_server(
    upstream: StandInUpstream, authority: TokenAuthority, start_proxy: StartProxy
) -> None:
    proxy = await start_proxy(upstream.port)
    async with plain_client(url(proxy), authority.issue()) as client:
        await live(client, upstream)
        proxy.fin("down")
        upstream.feed.emit(5)
        assert await client.end() is None
    await upstream.until(lambda: not proxy.open)
    await upstream.until(lambda: not upstream.open_sessions)
    assert upstream.sessions[0].record.ending == "client abort"


async def test_it_can_refuse_and_come_back_and_refuses_where_its_target_does(
    upstream: StandInUpstream, authority: TokenAuthority, start_proxy: StartProxy
) -> None:
    proxy = await start_proxy(upstream.port)
    await proxy.stop_listening()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", proxy.port)
    await proxy.listen()
    async with plain_client(url(proxy), authority.issue()) as client:
        await client.initialise()
    await upstream.stop_listening()
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    assert await reader.read() == b""
    writer.close()
