"""Messages that name an operation: ours in every way of writing it, no name at all, or another one."""

from __future__ import annotations

import anyio
import msgspec
import pytest
from structlog.testing import capture_logs
from websockets.asyncio.server import ServerConnection

from connector.subscription.errors import ServerRefused
from connector.subscription.messages import GraphQLError, Subprotocol
from connector.subscription.protocol import Completed, Ignored, Refused
from tests.unit.subscription.driving import REQUEST, TOKEN, connect, transport, with_token
from tests.unit.subscription.machines import BOTH, subscribed
from tests.unit.subscription.servers import greet, until, websocket_server

OURS = ['""', "null", '"1"', "1", '"\\u0031"', ' ""', None]
FOREIGN = ['"2"', "0", "7", '" "', "true", "[1]", '{"a":1}', '"11"', "1.5"]


def frame(kind: str, name: str | None, payload: str = '[{"message":"no"}]') -> bytes:
    """Return a message of ``kind``; ``name`` is the id as JSON, ``None``: it has none."""
    named = "" if name is None else f'"id":{name},'
    return f'{{{named}"type":"{kind}","payload":{payload}}}'.encode()


@pytest.mark.parametrize("subprotocol", BOTH)
@pytest.mark.parametrize("name", OURS)
def test_what_names_no_other_operation_is_of_ours(name: str | None, subprotocol: Subprotocol) -> None:
    assert isinstance(subscribed(subprotocol).receive(frame("error", name)), Refused)
    assert isinstance(subscribed(subprotocol).receive(frame("complete", name)), Completed)


@pytest.mark.parametrize("subprotocol", BOTH)
@pytest.mark.parametrize("name", FOREIGN)
def test_what_names_another_operation_ends_nothing(name: str, subprotocol: Subprotocol) -> None:
    machine = subscribed(subprotocol)
    assert machine.receive(frame("error", name)) == Ignored("error", (GraphQLError(message="no"),))
    assert machine.receive(frame("error", name, "null")) == Ignored("error", (GraphQLError(),))
    assert machine.receive(frame("complete", name)) == Ignored("complete")
    assert isinstance(machine.receive(frame("error", '"1"')), Refused)


async def test_an_error_for_another_operation_is_warned_of_once_and_without_the_token() -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        for _ in range(50):
            said = msgspec.json.encode([{"message": f"no {TOKEN}"}]).decode()
            await connection.send(frame("error", '"7"', said).decode())
        await connection.send(frame("error", '""').decode())
        await connection.wait_closed()

    async with websocket_server(handler) as stand:
        one = transport(stand.url, opening=with_token(stand.url))
        await connect(one)
        await one.start(REQUEST)
        with capture_logs() as lines, anyio.fail_after(20), pytest.raises(ServerRefused):
            await one.receive()
        one.abort()
        await until(lambda: not stand.server.connections)
    loud = [line for line in lines if line["log_level"] == "warning"]
    assert [line["event"] for line in loud] == ["error for no operation of ours"]
    assert TOKEN not in loud[0]["error"]
