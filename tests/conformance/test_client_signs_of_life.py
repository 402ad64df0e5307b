"""``ping``, ``pong``, ``ka`` and websocket pings: our client against the reference servers."""

import pytest

from connector.subscription import GraphQLRequest
from tests.conformance.client import TICKS, deliver, delivering, transport
from tests.references.fixtures import StartReference
from tests.references.servers import ReferenceServer

QUIET = GraphQLRequest("subscription { quiet }")
FIVE = GraphQLRequest(TICKS, variable_values={"n": 5})


@pytest.mark.parametrize("payload", [None, {"at": 1.5, "text": "é\u2028😀"}, {}])
async def test_a_ping_is_answered_with_its_payload_before_the_acknowledgement_and_after(
    start_reference: StartReference, payload: object
) -> None:
    server = await start_reference("modern", late=100, ping={"payload": payload})
    # Slowly, for a pong waits until what came before it is read.
    request = GraphQLRequest("subscription { ticks(n: 5, interval: 300) { rows { number text } } }")
    delivery = await deliver(transport(server), request)
    assert delivery.numbers == list(range(5))
    await server.until(lambda: server.closed)
    kinds = server.messages()
    assert kinds.index("pong") < kinds.index("subscribe")
    # The last ones may cross our Close.
    pongs = [event.facts["payload"] for event in server.seen("pong")]
    assert len(pongs) >= 2
    assert all(pong == payload for pong in pongs)


async def test_our_ping_is_understood_and_the_pong_is_a_sign_of_life(
    modern_reference: ReferenceServer,
) -> None:
    one = transport(modern_reference)
    async with delivering(one, QUIET):
        await modern_reference.until(lambda: len(modern_reference.messages()) == 2)
        heard_at = one.last_heard_at
        await one.ping()
        await modern_reference.until(lambda: one.last_heard_at > heard_at)
        await modern_reference.until(lambda: modern_reference.seen("ping"))
        assert modern_reference.seen("ping")[0].facts["payload"] is None
        assert modern_reference.messages()[-1] == "ping"
        await one.finish()


async def test_on_the_legacy_subprotocol_our_websocket_ping_is_answered(
    legacy_reference: ReferenceServer,
) -> None:
    one = transport(legacy_reference)
    async with delivering(one, QUIET):
        await legacy_reference.until(lambda: len(legacy_reference.messages()) == 2)
        heard_at = one.last_heard_at
        await one.ping()
        await legacy_reference.until(lambda: one.last_heard_at > heard_at)
        await legacy_reference.until(lambda: legacy_reference.seen("websocket ping"))
        assert legacy_reference.messages() == ["connection_init", "start"]
        await one.finish()


async def test_websocket_pings_of_a_modern_server_are_answered_and_so_it_stays(
    start_reference: StartReference,
) -> None:
    server = await start_reference("modern", keepAlive=500)
    one = transport(server)
    async with delivering(one, QUIET) as delivery:
        # It ends a connection whose pong does not come before the next ping.
        await server.until(lambda: len(server.seen("websocket pong")) >= 4)
        assert server.closed == []
        await one.finish()
    assert delivery.error is None


async def test_ka_of_a_legacy_server_is_a_sign_of_life_and_nothing_else(
    start_reference: StartReference,
) -> None:
    server = await start_reference("legacy", keepAlive=20)
    one = transport(server)
    async with delivering(one, QUIET) as delivery:
        for _ in range(5):
            heard_at = one.last_heard_at
            await server.until(lambda: one.last_heard_at > heard_at)  # noqa: B023
        await one.finish()
    assert (delivery.results, delivery.error) == ([], None)


async def test_keep_alives_between_results_cost_none(start_reference: StartReference) -> None:
    server = await start_reference("legacy", keepAlive=5)
    request = GraphQLRequest("subscription { ticks(n: 50, interval: 4) { rows { number text } } }")
    delivery = await deliver(transport(server), request)
    assert delivery.numbers == list(range(50))
    assert delivery.reason == "completed"
