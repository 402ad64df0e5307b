"""What a network does to a session: our client, the fault proxy, and the reference servers behind it."""

from __future__ import annotations

import time

import anyio
import pytest

from connector.refusals import classify
from connector.subscription import GraphQLRequest, RawPayload, SessionError, SocketClosed, Transport
from connector.subscription.errors import ConnectFailed
from connector.upstream import Opening
from tests.conformance.client import (
    KINDS,
    TICKS,
    WITHIN,
    Delivery,
    deliver,
    delivering,
    settings_for,
)
from tests.references.fixtures import StartReference
from tests.references.servers import Kind
from tests.standins.fixtures import StartProxy
from tests.standins.proxy import Direction, FaultProxy
from tests.unit.subscription.driving import connect

MANY = GraphQLRequest(TICKS, variable_values={"n": 10**9})
FEW = GraphQLRequest(TICKS, variable_values={"n": 20})
SLOWLY = GraphQLRequest("subscription { ticks(n: 1000000, interval: 5) { rows { number text } } }")


def through(proxy: FaultProxy, kind: Kind, **settings: float) -> Transport:
    """Return a transport whose way to a server of this kind is ``proxy``."""
    opening = Opening(url=f"ws://127.0.0.1:{proxy.port}/graphql", headers={}, init_payload=None)
    return Transport(opening, settings_for(kind, **settings), payload_type=RawPayload)


def lost(delivery: Delivery) -> None:
    """Assert that the connection was lost, and that what came is the beginning of what was sent."""
    assert isinstance(delivery.error, SocketClosed), delivery.error
    assert delivery.reason == "connection_lost"
    assert delivery.numbers == list(range(len(delivery.results)))


@pytest.mark.parametrize("directions", [("down",), ("up",), ("up", "down")])
@pytest.mark.parametrize("fault", ["fin", "rst"])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_connection_that_is_cut_is_lost_after_all_that_had_passed(
    start_reference: StartReference,
    start_proxy: StartProxy,
    kind: Kind,
    fault: str,
    directions: tuple[Direction, ...],
) -> None:
    server = await start_reference(kind)
    proxy = await start_proxy(server.port)
    async with delivering(through(proxy, kind), SLOWLY) as delivery:
        await server.until(lambda: len(delivery.results) >= 20)
        getattr(proxy, fault)(*directions)
    lost(delivery)
    await server.until(lambda: server.closed)


@pytest.mark.parametrize("by_reset", [False, True])
@pytest.mark.parametrize("kind", KINDS)
async def test_at_whatever_byte_it_is_cut_it_ends_at_once_and_by_an_error_of_ours(
    start_reference: StartReference, start_proxy: StartProxy, kind: Kind, by_reset: bool
) -> None:
    server = await start_reference(kind)
    proxy = await start_proxy(server.port)
    proxy.cuts_by_reset = by_reset
    reached = set()
    # The answer to the upgrade takes about 170 bytes, the acknowledgement 25, a result 90.
    for cut in [*range(0, 180, 10), *range(180, 240), *range(240, 400, 7)]:
        proxy.cut_after["down"] = cut
        delivery = await deliver(through(proxy, kind), MANY)
        assert delivery.numbers == list(range(len(delivery.results)))
        assert isinstance(delivery.error, SessionError)
        assert classify(delivery.error.symptom).reason in ("unreachable", "connection_lost"), delivery.error
        reached.add((type(delivery.error), len(delivery.results)))
    assert {count for _, count in reached} >= {0, 1}
    assert {error for error, _ in reached} == {ConnectFailed, SocketClosed}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_server_that_is_reached_byte_by_byte_is_understood(
    start_reference: StartReference, start_proxy: StartProxy, kind: Kind
) -> None:
    server = await start_reference(kind, compress={"threshold": 0} if kind == "modern" else None)
    proxy = await start_proxy(server.port)
    proxy.piece = 1
    delivery = await deliver(through(proxy, kind), FEW)
    assert delivery.numbers == list(range(20))
    assert delivery.reason == "completed"


@pytest.mark.parametrize("kind", KINDS)
async def test_latency_each_way_costs_nothing_but_time(
    start_reference: StartReference, start_proxy: StartProxy, kind: Kind
) -> None:
    server = await start_reference(kind)
    proxy = await start_proxy(server.port)
    proxy.latency["up"] = proxy.latency["down"] = 0.2
    begun = time.monotonic()
    delivery = await deliver(through(proxy, kind), FEW)
    assert delivery.numbers == list(range(20))
    assert time.monotonic() - begun >= 3 * 2 * 0.2  # upgrade, acknowledgement, first result


@pytest.mark.parametrize("step", ["upgrade", "acknowledgement"])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_stall_while_it_opens_ends_at_a_deadline(
    start_reference: StartReference, start_proxy: StartProxy, kind: Kind, step: str
) -> None:
    server = await start_reference(kind)
    proxy = await start_proxy(server.port)
    one = through(proxy, kind, open_timeout=0.5 if step == "upgrade" else WITHIN, ack_timeout=0.5)
    if step == "acknowledgement":
        await one.open()
    proxy.stall()
    with pytest.raises(SessionError) as caught, anyio.fail_after(WITHIN):
        await (connect(one) if step == "upgrade" else one.initialise())
    one.abort()
    assert classify(caught.value.symptom).reason == ("unreachable" if step == "upgrade" else "no_ack")


@pytest.mark.parametrize("kind", KINDS)
async def test_what_a_stall_held_comes_afterwards_and_none_is_lost(
    start_reference: StartReference, start_proxy: StartProxy, kind: Kind
) -> None:
    server = await start_reference(kind)
    proxy = await start_proxy(server.port)
    one = through(proxy, kind)
    async with delivering(one, MANY) as delivery:
        for _ in range(3):
            count = len(delivery.results)
            await server.until(lambda: len(delivery.results) > count + 50)  # noqa: B023
            proxy.stall("down")
            await anyio.sleep(0.2)
            proxy.resume()
        await one.finish()
    assert delivery.error is None
    await server.until(lambda: server.closed)
    assert server.closed[0].code == 1000
    assert delivery.numbers == list(range(server.closed[0].facts["sent"]["results"]))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_close_on_purpose_into_a_stall_ends_at_its_deadline(
    start_reference: StartReference, start_proxy: StartProxy, kind: Kind
) -> None:
    server = await start_reference(kind)
    proxy = await start_proxy(server.port)
    one = through(proxy, kind, close_timeout=0.5)
    async with delivering(one, SLOWLY) as delivery:
        await server.until(lambda: delivery.results)
        proxy.stall()
        with anyio.fail_after(WITHIN):
            await one.finish()
    assert delivery.error is None
    assert delivery.numbers == list(range(len(delivery.results)))
