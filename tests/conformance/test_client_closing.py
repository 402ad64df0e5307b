"""How the reference servers end a session, and what our client makes of it."""

import pytest

from connector.refusals import Symptom, classify
from connector.subscription import GraphQLRequest, SocketClosed
from tests.conformance.client import KINDS, TICKS, deliver, delivering, transport
from tests.references.fixtures import StartReference
from tests.references.servers import Kind, ReferenceServer

MANY = GraphQLRequest(TICKS, variable_values={"n": 10**9})
QUIET = GraphQLRequest("subscription { quiet }")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1000, ""),
        (1001, "Going away"),
        (1008, "policy"),
        (1011, "Internal server error"),
        (1013, "client is not consuming messages fast enough"),
        (4400, "Invalid message received"),
        (4401, "Unauthorized"),
        (4403, "Forbidden"),
        (4409, "Subscriber for 1 already exists"),
        (4429, "Too many initialisation requests"),
        (4500, "é" * 61),  # the longest that a Close frame holds: 123 bytes
    ],
)
@pytest.mark.parametrize("kind", KINDS)
async def test_every_result_before_a_close_comes_and_then_its_code_and_reason(
    start_reference: StartReference, kind: Kind, code: int, reason: str
) -> None:
    server = await start_reference(kind, close={"code": code, "reason": reason, "after": 30})
    delivery = await deliver(transport(server), MANY)
    assert delivery.numbers == list(range(30))
    assert isinstance(delivery.error, SocketClosed)
    assert delivery.error.symptom == Symptom(
        place="close", close_code=code, texts=(reason,) if reason else ()
    )
    assert classify(delivery.error.symptom).known
    await server.until(lambda: server.closed)
    assert server.closed[0].code == code


@pytest.mark.parametrize("kind", KINDS)
async def test_a_connection_that_is_cut_is_told_as_1006(start_reference: StartReference, kind: Kind) -> None:
    server = await start_reference(kind, close={"after": 1})
    delivery = await deliver(transport(server), MANY)
    assert isinstance(delivery.error, SocketClosed)
    assert delivery.error.symptom.close_code == 1006  # RFC 6455 §7.1.5: none was received
    assert delivery.reason == "connection_lost"


async def test_a_modern_server_that_goes_away_says_1001(modern_reference: ReferenceServer) -> None:
    one = transport(modern_reference)
    async with delivering(one, QUIET) as delivery:
        await modern_reference.until(lambda: len(modern_reference.messages()) == 2)
        await modern_reference.order("dispose")
    assert isinstance(delivery.error, SocketClosed)
    assert delivery.error.symptom.close_code == 1001
    assert delivery.reason == "closed"
