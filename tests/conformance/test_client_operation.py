"""The operation: our client against the reference servers."""

from typing import Any

import pytest

from connector.refusals import classify
from connector.subscription import GraphQLRequest, ServerRefused, SocketClosed, read_errors, result_of
from connector.subscription.errors import ServerCompleted
from tests.conformance.client import KINDS, TICKS, deliver, delivering, transport
from tests.references.fixtures import StartReference
from tests.references.servers import Kind, ReferenceServer
from tests.unit.subscription.driving import result_in

AWKWARD = 'é\u2028\u2029😀\x7f\t"\\/ \u0000 \ufeff'
TWO = "subscription other { quiet } subscription wanted ($text: String) { echo(text: $text) }"


@pytest.mark.parametrize("kind", KINDS)
async def test_query_variables_and_name_of_the_operation_are_sent_under_one_id(
    start_reference: StartReference, kind: Kind
) -> None:
    server = await start_reference(kind)
    request = GraphQLRequest(TWO, variable_values={"text": AWKWARD}, operation_name="wanted")
    delivery = await deliver(transport(server), request)
    assert delivery.data == [{"echo": AWKWARD}]
    _, start = (event.facts["message"] for event in server.seen("message"))
    assert start["id"] == "1"
    assert start["type"] == ("subscribe" if kind == "modern" else "start")
    assert start["payload"]["operationName"] == "wanted"
    assert start["payload"]["variables"] == {"text": AWKWARD}


@pytest.mark.parametrize("kind", KINDS)
async def test_every_result_comes_in_order_and_then_complete(
    start_reference: StartReference, kind: Kind
) -> None:
    server = await start_reference(kind)
    delivery = await deliver(transport(server), GraphQLRequest(TICKS, variable_values={"n": 500}))
    assert delivery.numbers == list(range(500))
    assert isinstance(delivery.error, ServerCompleted)
    assert delivery.reason == "completed"


@pytest.mark.parametrize("kind", KINDS)
async def test_an_operation_that_completes_without_a_result_completes(
    start_reference: StartReference, kind: Kind
) -> None:
    server = await start_reference(kind)
    delivery = await deliver(transport(server), GraphQLRequest(TICKS, variable_values={"n": 0}))
    assert (delivery.results, delivery.reason) == ([], "completed")


@pytest.mark.parametrize("kind", KINDS)
async def test_errors_beside_data_come_with_their_result_and_it_goes_on(
    start_reference: StartReference, kind: Kind
) -> None:
    server = await start_reference(kind)
    delivery = await deliver(transport(server), GraphQLRequest("subscription { breaks }"))
    assert delivery.data == [{"breaks": "whole"}, {"breaks": None}, {"breaks": "whole again"}]
    errors = [read_errors(result_of(result.frame).errors) for result in delivery.results]
    assert [[error.message for error in each] for each in errors] == [[], ["broken on purpose"], []]
    assert delivery.reason == "completed"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_source_that_fails_ends_it_with_error_after_what_it_gave(
    start_reference: StartReference, kind: Kind
) -> None:
    server = await start_reference(kind)
    delivery = await deliver(transport(server), GraphQLRequest("subscription { fails }"))
    assert delivery.data == [{"fails": "whole"}]
    assert isinstance(delivery.error, ServerRefused)
    assert delivery.error.symptom.texts == ("the source failed",)


async def test_a_modern_server_answers_a_broken_document_with_a_close(
    modern_reference: ReferenceServer,
) -> None:
    delivery = await deliver(transport(modern_reference), _unparsed("subscription { ticks("))
    assert isinstance(delivery.error, SocketClosed)
    assert delivery.error.symptom.close_code == 4500
    assert delivery.error.symptom.texts[0].startswith("Syntax Error")
    assert delivery.reason == "document_refused"


async def test_a_legacy_server_answers_a_broken_document_with_an_error(
    legacy_reference: ReferenceServer,
) -> None:
    delivery = await deliver(transport(legacy_reference), _unparsed("subscription { ticks("))
    assert isinstance(delivery.error, ServerRefused)
    assert delivery.reason == "document_refused"


def _unparsed(query: str) -> GraphQLRequest:
    """Return a request that gql would not have made of a document that it parsed."""
    request = GraphQLRequest("subscription { quiet }")

    class Unparsed(GraphQLRequest):
        @property
        def payload(self) -> dict[str, Any]:
            return {"query": query}

    request.__class__ = Unparsed
    return request


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (GraphQLRequest("subscription { quite }"), 'Cannot query field "quite"'),
        (GraphQLRequest("subscription { ticks { rows { number } } }"), 'argument "n" of type "Int!"'),
        (GraphQLRequest(TWO, operation_name="third"), "peration"),
        (GraphQLRequest(TICKS, variable_values={"n": "many"}), '"$n"'),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_refused_document_is_told_with_the_words_of_the_server(
    start_reference: StartReference, kind: Kind, request_: GraphQLRequest, says: str
) -> None:
    server = await start_reference(kind)
    delivery = await deliver(transport(server), request_)
    if isinstance(delivery.error, ServerRefused):
        texts = delivery.error.symptom.texts
        assert classify(delivery.error.symptom).reason == "document_refused"
    else:
        (result,) = delivery.results
        texts = tuple(error.message for error in read_errors(result_of(result.frame).errors))
        assert result_in(result).get("data") is None
        assert isinstance(delivery.error, ServerCompleted)
    assert any(says in text for text in texts), texts


@pytest.mark.parametrize("kind", KINDS)
async def test_a_hook_of_the_server_that_throws_is_told(start_reference: StartReference, kind: Kind) -> None:
    server = await start_reference(kind, onSubscribe={"throw": "Unauthorized"})
    delivery = await deliver(transport(server), GraphQLRequest("subscription { quiet }"))
    assert delivery.reason == "unauthorized"
    assert isinstance(delivery.error, SocketClosed if kind == "modern" else ServerRefused)


@pytest.mark.parametrize("kind", KINDS)
async def test_ending_it_stops_the_source_and_takes_every_result_that_was_sent(
    start_reference: StartReference, kind: Kind
) -> None:
    server = await start_reference(kind)
    one = transport(server)
    async with delivering(one, GraphQLRequest(TICKS, variable_values={"n": 10**9})) as delivery:
        await server.until(lambda: len(delivery.results) > 200)
        await one.finish()
    assert delivery.error is None
    await server.until(lambda: server.closed and server.seen("source ended"))
    (closed,) = server.closed
    assert closed.code == 1000
    assert server.messages()[-1] == ("complete" if kind == "modern" else "stop")
    assert delivery.numbers == list(range(closed.facts["sent"]["results"]))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_quiet_operation_is_ended_at_once(start_reference: StartReference, kind: Kind) -> None:
    server = await start_reference(kind)
    one = transport(server)
    async with delivering(one, GraphQLRequest("subscription { quiet }")) as delivery:
        await server.until(lambda: len(server.messages()) == 2)
        await one.finish()
    assert delivery.error is None
    await server.until(lambda: server.closed)
    assert server.closed[0].code == 1000
