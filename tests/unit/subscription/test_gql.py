"""gql's own client over this transport: its public `AsyncTransport` contract."""

import anyio
import pytest
from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from connector.subscription.errors import HandshakeRefused, ServerCompleted, ServerRefused
from connector.subscription.messages import Subprotocol
from tests.unit.subscription.servers import BOTH, MODERN, greet, row, tell, told, transport, websocket_server

DOCUMENT = gql("subscription Numbers($to: Int) { n(to: $to) }")


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_a_session_subscribes(subprotocol: Subprotocol) -> None:
    asked: list[object] = []

    async def handler(connection: ServerConnection) -> None:
        _, operation = await greet(connection)
        asked.append(operation["payload"]["variables"])
        try:
            for number in range(1_000_000):
                await connection.send(row(connection, number, size=2000))
        except ConnectionClosed:
            return

    async with websocket_server(handler, speaks=[subprotocol]) as stand:
        numbers = []
        document = gql("subscription Numbers($to: Int) { n(to: $to) }")
        document.variable_values = {"to": 3}
        with anyio.fail_after(10):
            async with Client(transport=transport(stand.url, close_timeout=0.2)) as session:
                async for data in session.subscribe(document):
                    numbers.append(data["n"][0])
                    if len(numbers) == 100:
                        break
        await stand.until_unused()
    assert numbers == list(range(100))
    assert asked == [{"to": 3}]


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_a_session_executes(subprotocol: Subprotocol) -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await connection.send(row(connection, 7))
        await tell(connection, "complete", id="1")
        await connection.wait_closed()

    async with websocket_server(handler, speaks=[subprotocol]) as stand:
        async with Client(transport=transport(stand.url)) as session:
            assert await session.execute(DOCUMENT) == {"n": [7]}
        await stand.until_unused()


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_errors_of_a_result_are_raised_by_gql(subprotocol: Subprotocol) -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        kind = "next" if subprotocol is MODERN else "data"
        await tell(connection, kind, {"data": None, "errors": [{"message": "no"}]}, id="1")
        await connection.wait_closed()

    async with (
        websocket_server(handler, speaks=[subprotocol]) as stand,
        Client(transport=transport(stand.url)) as session,
    ):
        with pytest.raises(TransportQueryError, match="no"):
            await session.execute(DOCUMENT)


async def test_a_completion_without_a_result_is_raised() -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await tell(connection, "complete", id="1")
        await connection.wait_closed()

    async with websocket_server(handler) as stand, Client(transport=transport(stand.url)) as session:
        with pytest.raises(ServerCompleted):
            await session.execute(DOCUMENT)


async def test_a_refusal_while_connecting_leaves_nothing_open() -> None:
    async def handler(connection: ServerConnection) -> None:
        await told(connection)
        await tell(connection, "connection_error", "no")
        await connection.wait_closed()

    async with websocket_server(handler) as stand:
        with pytest.raises(ServerRefused):
            async with Client(transport=transport(stand.url)):
                pass
        await stand.until_unused()


async def test_a_refused_upgrade_is_raised() -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with websocket_server(handler, process_request=lambda c, r: c.respond(401, "no")) as stand:
        with pytest.raises(HandshakeRefused):
            async with Client(transport=transport(stand.url)):
                pass
