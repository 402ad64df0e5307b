"""Messages of any size, in fragments or compressed: our client against the reference servers."""

import pytest

from connector.subscription import GraphQLRequest, SocketClosed
from tests.conformance.client import KINDS, TICKS, deliver, transport
from tests.references.fixtures import StartReference
from tests.references.servers import Kind

BIG = "subscription ($size: Int!) { big(size: $size) }"
MEGABYTE = 2**20
ANY_SIZE = {"threshold": 0}


@pytest.mark.parametrize("compress", [None, ANY_SIZE])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_message_of_three_megabytes_comes_whole(
    start_reference: StartReference, kind: Kind, compress: object
) -> None:
    server = await start_reference(kind, compress=compress)
    size = 3 * MEGABYTE
    delivery = await deliver(transport(server), GraphQLRequest(BIG, variable_values={"size": size}))
    assert [len(data["big"]) for data in delivery.data] == [size]
    assert delivery.reason == "completed"


@pytest.mark.parametrize("compress", [None, ANY_SIZE])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_message_beyond_the_limit_ends_it_with_1009(
    start_reference: StartReference, kind: Kind, compress: object
) -> None:
    server = await start_reference(kind, compress=compress)
    request = GraphQLRequest(BIG, variable_values={"size": MEGABYTE})
    # Of digits that compress to less than half: what counts is what would be held in memory.
    delivery = await deliver(transport(server, max_message_bytes=MEGABYTE), request)
    assert (delivery.results, delivery.reason) == ([], "message_too_big")
    assert isinstance(delivery.error, SocketClosed)
    await server.until(lambda: server.closed)
    assert server.closed[0].code == 1009


@pytest.mark.parametrize("fragment", [1000, 7])
@pytest.mark.parametrize("kind", KINDS)
async def test_fragments_with_a_ping_between_them_are_put_together(
    start_reference: StartReference, kind: Kind, fragment: int
) -> None:
    server = await start_reference(kind, fragment=fragment)
    size = 30 * fragment + 1
    request = GraphQLRequest(BIG, variable_values={"size": size})
    delivery = await deliver(transport(server), request)
    assert [len(data["big"]) for data in delivery.data] == [size]
    assert delivery.reason == "completed"
    # Its pings may go unanswered here: a pong waits until what came is read, and then we are gone.
    await server.until(lambda: server.closed)


@pytest.mark.parametrize(
    "compress",
    [
        ANY_SIZE,
        {**ANY_SIZE, "serverNoContextTakeover": True, "clientNoContextTakeover": True},
        {**ANY_SIZE, "serverMaxWindowBits": 9},
    ],
)
@pytest.mark.parametrize("kind", KINDS)
async def test_permessage_deflate_is_agreed_on_in_any_form_and_loses_nothing(
    start_reference: StartReference, kind: Kind, compress: object
) -> None:
    server = await start_reference(kind, compress=compress, fragment=40)
    delivery = await deliver(transport(server), GraphQLRequest(TICKS, variable_values={"n": 100}))
    assert "permessage-deflate" in server.seen("connected")[0].facts["extensions"]
    assert delivery.numbers == list(range(100))
    texts = [data["ticks"]["rows"][0]["text"] for data in delivery.data]
    assert texts == [f'tick "é" {number}' for number in range(100)]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_server_without_compression_is_served_without(
    start_reference: StartReference, kind: Kind
) -> None:
    server = await start_reference(kind)
    delivery = await deliver(transport(server), GraphQLRequest(TICKS, variable_values={"n": 1}))
    assert delivery.numbers == [0]
    assert server.seen("connected")[0].facts["extensions"] in ("", {})
