"""Negotiation, ``connection_init`` and ``connection_ack``: our client against the reference servers."""

from typing import Any

import pytest

from connector.refusals import classify
from connector.subscription import GraphQLRequest, ServerRefused, SessionError, SocketClosed, Transport
from connector.subscription.errors import SubprotocolRefused
from tests.conformance.client import (
    KINDS,
    LEGACY,
    MODERN,
    SPOKEN,
    TICKS,
    deliver,
    transport,
)
from tests.references.fixtures import StartReference
from tests.references.servers import Kind, ReferenceServer
from tests.unit.subscription.driving import connect

THREE = GraphQLRequest(TICKS, variable_values={"n": 3})


async def refusal(one: Transport) -> SessionError:
    """Return why it could not connect."""
    with pytest.raises(SessionError) as caught:
        await connect(one)
    return caught.value


@pytest.mark.parametrize("kind", KINDS)
async def test_the_server_selects_what_it_speaks_and_our_order_is_kept(
    start_reference: StartReference, kind: Kind
) -> None:
    server = await start_reference(kind)
    delivery = await deliver(transport(server), THREE)
    assert delivery.numbers == [0, 1, 2]
    (connected,) = server.seen("connected")
    assert connected.subprotocol == SPOKEN[kind]
    other = LEGACY if kind == "modern" else MODERN
    # Spaces after commas are the library's.
    assert connected.facts["offered"].replace(" ", "") == f"{SPOKEN[kind]},{other}"


async def test_a_server_that_picks_from_the_middle_of_our_offer_is_followed(
    modern_reference: ReferenceServer,
) -> None:
    one = transport(modern_reference, subprotocols=(LEGACY, MODERN))
    assert (await deliver(one, THREE)).numbers == [0, 1, 2]


async def test_a_server_that_speaks_none_of_our_offer_is_left(modern_reference: ReferenceServer) -> None:
    error = await refusal(transport(modern_reference, subprotocols=(LEGACY,)))
    assert isinstance(error, SubprotocolRefused)
    assert classify(error.symptom).reason == "subprotocol_refused"
    await modern_reference.until(lambda: modern_reference.closed)
    assert modern_reference.seen("message") == []


async def test_a_server_that_selects_what_it_does_not_speak_closes_with_1002(
    legacy_reference: ReferenceServer,
) -> None:
    # ws 7 selects whatever is offered first; the subscription then turns its offer round.
    error = await refusal(transport(legacy_reference, subprotocols=(MODERN, LEGACY)))
    assert isinstance(error, SocketClosed)
    assert error.symptom.close_code == 1002
    assert classify(error.symptom).reason == "subprotocol_refused"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "payload",
    [
        None,
        {},
        {"Authorization": 'Bearer a+/=%"b'},
        {"headers": {"x": [1, 2.5, None, True]}, "é\u2028😀": "\x7f"},
    ],
)
async def test_the_payload_of_init_arrives_as_it_is_and_none_is_left_out(
    start_reference: StartReference, kind: Kind, payload: dict[str, Any] | None
) -> None:
    server = await start_reference(kind)
    assert (await deliver(transport(server, init_payload=payload), THREE)).numbers == [0, 1, 2]
    init = server.seen("message")[0].facts["message"]
    assert init == {"type": "connection_init", **({} if payload is None else {"payload": payload})}
    assert server.seen("init")[0].facts["payload"] == payload


@pytest.mark.parametrize("kind", KINDS)
async def test_the_payload_of_an_acknowledgement_is_allowed(
    start_reference: StartReference, kind: Kind
) -> None:
    server = await start_reference(kind, connect={"acknowledge": {"user": {"id": 1}, "type": "error"}})
    assert (await deliver(transport(server), THREE)).numbers == [0, 1, 2]


@pytest.mark.parametrize("kind", KINDS)
async def test_one_init_comes_first_and_the_operation_only_after_the_acknowledgement(
    start_reference: StartReference, kind: Kind
) -> None:
    server = await start_reference(kind, late=200)
    assert (await deliver(transport(server), THREE)).numbers == [0, 1, 2]
    await server.until(lambda: server.closed)
    order = [event.kind or event.event for event in server.seen("message", "acknowledged")]
    # So 4401 (before the ack), 4429 (a second init) and 4409 (an id in use) cannot be our fault.
    assert order == ["connection_init", "acknowledged", "subscribe" if kind == "modern" else "start"]


async def test_an_init_that_comes_too_late_is_answered_with_4408(start_reference: StartReference) -> None:
    server = await start_reference("modern", initWait=100)
    one = transport(server)
    await one.open()
    await server.until(lambda: server.closed)
    with pytest.raises(SocketClosed) as caught:
        await one.initialise()
    one.abort()
    symptom = caught.value.symptom
    assert (symptom.close_code, symptom.texts) == (4408, ("Connection initialisation timeout",))
    assert classify(symptom).reason == "closed"


async def test_a_modern_server_forbids_with_4403(start_reference: StartReference) -> None:
    error = await refusal(transport(await start_reference("modern", connect="forbid")))
    assert isinstance(error, SocketClosed)
    assert (error.symptom.close_code, error.symptom.texts) == (4403, ("Forbidden",))
    assert classify(error.symptom).reason == "unauthorized"


async def test_a_legacy_server_prohibits_with_connection_error(start_reference: StartReference) -> None:
    server = await start_reference("legacy", connect="forbid")
    error = await refusal(transport(server))
    assert isinstance(error, ServerRefused)
    assert (error.symptom.place, error.symptom.texts) == ("init", ("Prohibited connection!",))
    assert classify(error.symptom).reason == "refused_at_init"
    await server.until(lambda: server.closed)


@pytest.mark.parametrize("text", ["Unauthorized", "the database is away"])
async def test_a_modern_server_that_throws_closes_with_4500(
    start_reference: StartReference, text: str
) -> None:
    error = await refusal(transport(await start_reference("modern", connect={"throw": text})))
    assert isinstance(error, SocketClosed)
    assert (error.symptom.close_code, error.symptom.texts) == (4500, (text,))
    assert classify(error.symptom).reason == ("unauthorized" if text == "Unauthorized" else "closed")


@pytest.mark.parametrize("text", ["Unauthorized", "the database is away"])
async def test_a_legacy_server_that_throws_says_connection_error(
    start_reference: StartReference, text: str
) -> None:
    error = await refusal(transport(await start_reference("legacy", connect={"throw": text})))
    assert isinstance(error, ServerRefused)
    assert error.symptom.texts == (text,)


@pytest.mark.parametrize("kind", KINDS)
async def test_no_acknowledgement_is_given_up(start_reference: StartReference, kind: Kind) -> None:
    error = await refusal(transport(await start_reference(kind, late=60_000), ack_timeout=0.3))
    assert classify(error.symptom).reason == "no_ack"
