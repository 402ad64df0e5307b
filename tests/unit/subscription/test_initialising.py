"""Between the upgrade and the acknowledgement."""

from typing import Any

import anyio
import pytest
from websockets.asyncio.server import ServerConnection

from connector.subscription.errors import AckTimedOut, ProtocolViolation, ServerRefused, SocketClosed
from connector.subscription.messages import Subprotocol
from tests.unit.subscription.driving import connect, transport
from tests.unit.subscription.servers import BOTH, MODERN, RawPeer, raw_server, tell, told, websocket_server


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_signs_of_life_may_come_before_the_acknowledgement(subprotocol: Subprotocol) -> None:
    async def handler(connection: ServerConnection) -> None:
        await tell(connection, "ka")
        await tell(connection, "pong")
        await told(connection)
        await tell(connection, "ka")
        await tell(connection, "something", {"new": 1})
        await tell(connection, "connection_ack", {"server": "x"})
        await connection.wait_closed()

    async with websocket_server(handler, speaks=[subprotocol]) as stand:
        one = transport(stand.url)
        await connect(one)
        one.abort()


async def test_a_ping_before_the_acknowledgement_is_answered() -> None:
    async def handler(connection: ServerConnection) -> None:
        await told(connection)
        await tell(connection, "ping", {"a": 1})
        if await told(connection) == {"type": "pong", "payload": {"a": 1}}:
            await tell(connection, "connection_ack")
        await connection.wait_closed()

    async with websocket_server(handler, speaks=[MODERN]) as stand:
        one = transport(stand.url)
        await connect(one)
        one.abort()


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_no_acknowledgement_is_given_up_whatever_else_comes(subprotocol: Subprotocol) -> None:
    async def handler(connection: ServerConnection) -> None:
        while True:
            await tell(connection, "ka")
            await anyio.sleep(0.01)

    async with websocket_server(handler, speaks=[subprotocol]) as stand:
        with pytest.raises(AckTimedOut):
            await connect(transport(stand.url, ack_timeout=0.2))
        await stand.until_unused()


@pytest.mark.parametrize("subprotocol", BOTH)
@pytest.mark.parametrize(
    ("payload", "texts", "codes"),
    [
        (None, (), ()),
        ("Unauthorized", ("Unauthorized",), ()),
        ({"message": "no"}, ("no",), ()),
        (
            [{"message": "no", "extensions": {"code": "FORBIDDEN"}}, {"message": "2"}],
            ("no", "2"),
            ("FORBIDDEN",),
        ),
    ],
)
@pytest.mark.parametrize("kind", ["connection_error", "error"])
async def test_a_refusal_is_told_with_its_texts(
    kind: str, payload: Any, texts: tuple[str, ...], codes: tuple[str, ...], subprotocol: Subprotocol
) -> None:
    async def handler(connection: ServerConnection) -> None:
        await told(connection)
        await tell(connection, kind, payload)
        await connection.close(4400, "and closed")

    async with websocket_server(handler, speaks=[subprotocol]) as stand:
        with pytest.raises(ServerRefused) as caught:
            await connect(transport(stand.url))
        await stand.until_unused()
    symptom = caught.value.symptom
    assert (symptom.place, symptom.texts, symptom.error_codes) == ("init", texts, codes)


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_a_refusal_that_did_not_wait_for_init_is_told(subprotocol: Subprotocol) -> None:
    async def handler(peer: RawPeer) -> None:
        await peer.upgrade(subprotocol.value)
        peer.frame(b'{"type":"connection_error","payload":"Unauthorized"}')
        peer.frame(b"\x11\x31", opcode=8)
        await peer.writer.drain()
        await peer.reader.read()

    async with raw_server(handler) as url:
        one = transport(url)
        await one.open()
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(ServerRefused, match="Unauthorized"):
            await one.initialise()
        one.abort()


@pytest.mark.parametrize("subprotocol", BOTH)
@pytest.mark.parametrize(
    ("code", "reason"), [(4401, "Unauthorized"), (4403, "Forbidden"), (1008, ""), (1011, "x")]
)
async def test_a_close_is_told_with_its_code(code: int, reason: str, subprotocol: Subprotocol) -> None:
    async def handler(connection: ServerConnection) -> None:
        await told(connection)
        await connection.close(code, reason)

    async with websocket_server(handler, speaks=[subprotocol]) as stand:
        with pytest.raises(SocketClosed) as caught:
            await connect(transport(stand.url))
    symptom = caught.value.symptom
    assert (symptom.close_code, symptom.texts) == (code, (reason,) if reason else ())


async def test_the_end_of_the_stream_is_told() -> None:
    async def handler(peer: RawPeer) -> None:
        await peer.upgrade()
        await peer.writer.drain()

    async with raw_server(handler) as url:
        with pytest.raises(SocketClosed, match="without a Close frame"):
            await connect(transport(url))


async def test_bytes_of_another_protocol_are_a_violation() -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.send("hello")
        await connection.wait_closed()

    async with websocket_server(handler) as stand:
        with pytest.raises(ProtocolViolation):
            await connect(transport(stand.url))
        await stand.until_unused()
