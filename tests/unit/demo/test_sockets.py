"""The upstream's door, without a server."""

from collections.abc import Sequence
from urllib.parse import quote

import anyio
import pytest
from starlette.types import Message, Receive, Scope, Send

from connector.demo.feed import Feed
from connector.demo.oauth import Issuer
from connector.demo.sockets import SUBPROTOCOLS, Sockets, numbers_in, session_of

FRAME = '{"type":"next","id":"1","payload":{"data":{"EVM":{"DEXTrades":[{"Log":{"Index":%d}}]}}}}'


class Peer:
    """The ASGI server's side of one websocket."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.is_gone = False

    async def receive(self) -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    async def send(self, message: Message) -> None:
        if self.is_gone:
            raise OSError
        self.sent.append(message)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def streaming(scope: Scope, receive: Receive, send: Send) -> None:
    """A GraphQL application that writes the even rows, one in a frame, until it is told of the end."""

    class Socket:
        def __init__(self) -> None:
            self.scope = scope

    with session_of(Socket()).operation("bsc") as tap:  # type: ignore[arg-type]

        async def write() -> None:
            while True:
                for number in await tap.take():
                    await send({"type": "websocket.send", "text": FRAME % number})

        async with anyio.create_task_group() as group:
            group.start_soon(write)
            while (await receive())["type"] != "websocket.disconnect":
                pass
            group.cancel_scope.cancel()


def scope_with(token: str, subprotocols: Sequence[str] = SUBPROTOCOLS) -> Scope:
    query = f"token={quote(token, safe='')}".encode()
    return {"type": "websocket", "query_string": query, "subprotocols": list(subprotocols)}


async def test_a_stale_token_is_refused_at_the_upgrade() -> None:
    clock = Clock()
    issuer = Issuer(life=5, clock=clock)
    token = issuer.issue()
    clock.now = 5.0
    sockets, peer = Sockets(streaming, feed=Feed(), issuer=issuer), Peer()
    await sockets(scope_with(token), peer.receive, peer.send)
    assert [message.get("status") for message in peer.sent] == [401, None]
    assert sockets.refused == 1
    assert not sockets.opened


@pytest.mark.parametrize("drops", [1, 3])
async def test_a_dropped_socket_ends_and_what_it_had_not_written_stays_unwritten(drops: int) -> None:
    """The first drop sends a Close frame; the third is a FIN, which the server sends when we return."""
    feed, issuer = Feed(), Issuer()
    sockets = Sockets(streaming, feed=feed, issuer=issuer)
    peers: list[Peer] = []
    for _ in range(drops):
        peers.append(peer := Peer())
        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(sockets, scope_with(issuer.issue()), peer.receive, peer.send)
                await anyio.wait_all_tasks_blocked()
                feed.number_up_to(feed.numbered + 2)
                await anyio.wait_all_tasks_blocked()
                feed.number_up_to(feed.numbered + 2)
                await sockets.drop_one()
    assert feed.written == {4 * drop for drop in range(drops)}
    closes = [message for message in peers[-1].sent if message["type"] == "websocket.close"]
    assert len(closes) == (1 if drops == 1 else 0)
    with anyio.fail_after(1):
        await sockets.all_closed()


async def test_a_row_that_the_server_could_not_take_is_not_written() -> None:
    feed, issuer, peer = Feed(), Issuer(), Peer()
    sockets = Sockets(streaming, feed=feed, issuer=issuer)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(sockets, scope_with(issuer.issue()), peer.receive, peer.send)
            await anyio.wait_all_tasks_blocked()
            feed.number_up_to(1)
            await anyio.wait_all_tasks_blocked()
            peer.is_gone = True
            feed.number_up_to(3)
    assert feed.written == {0}


def test_a_revoked_token_is_stale() -> None:
    issuer = Issuer()
    token = issuer.issue()
    assert issuer.is_good(token)
    issuer.revoke_all()
    assert not issuer.is_good(token)


async def test_both_subprotocols_take_turns() -> None:
    issuer = Issuer()
    chosen: list[list[str]] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        chosen.append(scope["subprotocols"])

    sockets, peer = Sockets(app, feed=Feed(), issuer=issuer), Peer()
    for _ in range(3):
        await sockets(scope_with(issuer.issue()), peer.receive, peer.send)
    await sockets(scope_with(issuer.issue(), SUBPROTOCOLS[1:]), peer.receive, peer.send)
    modern, legacy = SUBPROTOCOLS
    assert chosen == [[modern], [legacy], [modern], [legacy]]
    assert sockets.opened == {modern: 2, legacy: 2}


@pytest.mark.parametrize(
    "frame",
    ['{"type":"ka"}', '{"type":"connection_ack"}', '{"type":"error","payload":[{"message":"no"}]}'],
)
def test_frames_without_data_carry_no_rows(frame: str) -> None:
    assert numbers_in(frame) == []


def test_a_frame_with_data_carries_its_rows() -> None:
    assert numbers_in(FRAME % 7) == [7]
