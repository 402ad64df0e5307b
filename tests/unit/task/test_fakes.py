"""The fakes are what the room asks for, and keep the promises of the real ones."""

from __future__ import annotations

import anyio
import pytest

from connector.auth import Keeper
from connector.publish import DeadLetters
from connector.records.row_finder import RowFinder
from connector.subscription import GraphQLRequest, SessionSettings, SocketClosed, Transport
from connector.task import SubscriptionObserver
from connector.task.connection import Connection, OpenConnection
from connector.task.error_reporter import DeadLetterQueue
from connector.task.token_keeper import TokenKeeper
from tests.unit.task.fakes import FakeKeeper, Told, token
from tests.unit.task.scenario import TARGET, numbered, until
from tests.unit.task.upstream import FakeConnection, FakeUpstream, Peer, PeerGoneError


def as_the_room_asks(
    upstream: FakeUpstream, connection: FakeConnection, told: Told, keeper: FakeKeeper
) -> tuple[OpenConnection, Connection, SubscriptionObserver, TokenKeeper]:
    """Nothing at run time: mypy checks that the fakes have every method of the real ones."""
    return upstream, connection, told, keeper


def as_the_real_ones_are(
    transport: Transport, keeper: Keeper, letters: DeadLetters
) -> tuple[Connection, TokenKeeper, DeadLetterQueue, OpenConnection]:
    """Nor here: the real ones have what the room asks for."""
    return transport, keeper, letters, Transport


async def test_the_fake_keeper_gives_no_token_that_was_rejected() -> None:
    keeper = FakeKeeper(token(1))
    assert (await keeper.token(by="s")).generation == 1
    keeper.reject(1, by="s")
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: keeper.token(by="s"))
        await anyio.wait_all_tasks_blocked()
        keeper.put(token(2))
    assert (await keeper.newer_than(1)).generation == 2


class Client:
    """A connection to a peer whose handler says what came."""

    def __init__(self, upstream: FakeUpstream) -> None:
        self.connection = upstream(
            TARGET.opening("abc"), SessionSettings(), payload_type=RowFinder(("rows",)).payload_type
        )

    async def subscribe(self) -> None:
        await self.connection.open()
        await self.connection.initialise()
        await self.connection.start(GraphQLRequest("subscription { rows }"))


async def test_a_fake_connection_carries_messages_in_order_up_to_the_peers_close() -> None:
    async def handler(peer: Peer) -> None:
        assert "rows" in await peer.greet()
        assert peer.token == "abc"
        await peer.send(numbered(1))
        await peer.send('{"type":"pong"}')
        await peer.send(numbered(2))
        await peer.close(1012, "restart")

    upstream = FakeUpstream(handler)
    client = Client(upstream)
    async with anyio.create_task_group() as group:
        group.start_soon(upstream.serve)
        await client.subscribe()
        found = [await client.connection.receive(), await client.connection.receive()]
        assert [numbered(2)[:60].encode() in result.frame for result in found if result] == [False, True]
        with pytest.raises(SocketClosed) as caught:
            await client.connection.receive()
        assert caught.value.symptom.close_code == 1012
        group.cancel_scope.cancel()


async def test_after_a_finish_what_was_sent_is_received_and_the_peer_sends_no_more() -> None:
    refused: list[str] = []

    async def handler(peer: Peer) -> None:
        await peer.greet()
        await peer.send(numbered(1))
        await peer.wait_closed()
        try:
            await peer.send(numbered(2))
        except PeerGoneError:
            refused.append("gone")

    upstream = FakeUpstream(handler)
    client = Client(upstream)
    async with anyio.create_task_group() as group:
        group.start_soon(upstream.serve)
        await client.subscribe()
        await until(lambda: upstream.peers[0].frames)
        await client.connection.finish()
        assert await client.connection.receive() is not None
        assert await client.connection.receive() is None
        await until(lambda: refused)
        group.cancel_scope.cancel()
    assert upstream.open == []


async def test_an_abort_wakes_whoever_receives_with_its_reason() -> None:
    async def handler(peer: Peer) -> None:
        await peer.greet()
        await peer.wait_closed()

    upstream = FakeUpstream(handler)
    client = Client(upstream)
    async with anyio.create_task_group() as group:
        group.start_soon(upstream.serve)
        await client.subscribe()

        async def receive() -> None:
            with pytest.raises(SocketClosed, match="1001"):
                await client.connection.receive()

        group.start_soon(receive)
        await anyio.wait_all_tasks_blocked()
        client.connection.abort(SocketClosed(1001, ""))
        await until(lambda: not upstream.open)
        group.cancel_scope.cancel()
