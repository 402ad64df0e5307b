"""One session against a real server on the loopback: how it begins, what it tells, and how it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio
import pytest
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from connector.auth import Token
from connector.subscription import (
    Delivered,
    GraphQLRequest,
    MemoryBudget,
    MemoryShare,
    ProtocolViolation,
    RawPayload,
    ServerRefused,
    SessionSettings,
    Silent,
    Subprotocol,
    Target,
    backpressure,
)
from connector.subscription.errors import AckTimedOut, SocketClosed
from connector.task.session import Session, SessionEnd
from connector.task.status import State
from connector.task.vigil import Patience
from tests.unit.subscription.driving import REQUEST, number_of
from tests.unit.subscription.servers import (
    BOTH,
    LEGACY,
    MODERN,
    RawPeer,
    Stand,
    greet,
    raw_server,
    row,
    tell,
    told,
    until,
    websocket_server,
)
from tests.unit.task.fakes import FakeKeeper, token

PATIENT = Patience(keepalive_timeout=60.0, probe=False)


class Events:
    """Satisfies `SessionEvents`; ``react`` is called with each result."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.numbers: list[int] = []
        self.violations: list[ProtocolViolation] = []
        self.live_since: float | None = None
        self.react: Callable[[Delivered], bool] = lambda result: True

    def entered(self, state: State) -> None:
        self.said.append(state.value)

    def live(self, since: float) -> None:
        self.live_since = since
        self.said.append("live")

    def closing(self, cause: str) -> None:
        self.said.append(f"closing {cause}")

    def receive(self, result: Delivered) -> bool:
        has_data = self.react(result)
        self.numbers.append(number_of(result))
        return has_data

    def violated(self, error: ProtocolViolation) -> None:
        self.violations.append(error)

    def accepted(self) -> None:
        self.said.append("accepted")

    def proven(self) -> None:
        self.said.append("proven")

    def closed(self, cause: str) -> None:
        self.said.append(f"closed {cause}")


class Running:
    """A session that runs, and in the end how it ended."""

    def __init__(self, session: Session, events: Events, budget: MemoryBudget) -> None:
        self.session = session
        self.events = events
        self.budget = budget
        self.end: SessionEnd | None = None
        self.scope = anyio.CancelScope()

    async def run(self, request: GraphQLRequest, held: Token | None, keeper: FakeKeeper | None) -> None:
        with self.scope:
            self.end = await self.session.run(request, held, keeper.as_keeper if keeper else None)

    async def ended(self) -> SessionEnd:
        await until(lambda: self.end)
        assert self.end is not None
        return self.end


@asynccontextmanager
async def running(
    url: str,
    *,
    patience: Patience = PATIENT,
    held: Token | None = None,
    keeper: FakeKeeper | None = None,
    reopens: bool = True,
    events: Events | None = None,
    budget: MemoryBudget | None = None,
    memory: MemoryShare | None = None,
    finish: str | None = None,
    request: GraphQLRequest = REQUEST,
    steady_after: float = 0.0,
    **settings: Any,
) -> AsyncIterator[Running]:
    """Run a session; whatever is left of it is cancelled."""
    events, budget = events or Events(), budget or MemoryBudget(10**9)
    session = Session(
        target=Target(url=url),
        settings=SessionSettings(**settings),
        patience=patience,
        payload_type=RawPayload,
        budget=budget,
        memory=memory or budget.open(lambda: None),
        events=events,
        reopens=reopens,
        steady_after=steady_after,
        rng=lambda: 0.0,
    )
    if finish:
        session.finish(finish)
    one = Running(session, events, budget)
    async with anyio.create_task_group() as group:
        group.start_soon(one.run, request, held, keeper)
        yield one
        group.cancel_scope.cancel()


async def quiet(connection: ServerConnection) -> None:
    """Acknowledge and say nothing more."""
    await greet(connection)
    await connection.wait_closed()


async def flowing(connection: ServerConnection) -> None:
    """Send rows until the client closes."""
    await greet(connection)
    try:
        for number in range(100_000):
            await connection.send(row(connection, number, size=2000))
            await asyncio.sleep(0.001)
    except ConnectionClosed:
        return


def served(
    handler: Callable[[ServerConnection], Awaitable[None]], subprotocol: Subprotocol
) -> AbstractAsyncContextManager[Stand]:
    """Serve ``handler`` on one subprotocol."""
    return websocket_server(handler, speaks=[subprotocol])


OPENING = ["connecting", "initialising", "subscribing"]

# Its life


async def test_a_session_goes_through_its_states_and_ends_with_the_peer() -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        for number in range(3):
            await connection.send(row(connection, number))
        await connection.close(1012, "restart")

    async with websocket_server(handler) as stand, running(stand.url) as one:
        end = await one.ended()
    assert one.events.said == [*OPENING, "live", "accepted", "proven"]
    assert one.events.numbers == [0, 1, 2]
    assert isinstance(end.error, SocketClosed)
    assert (end.cause, end.delivered) == (None, True)
    assert end.live_for > 0


async def test_without_data_it_is_live_once_it_was_not_refused_and_since_it_subscribed() -> None:
    async with websocket_server(quiet) as stand, running(stand.url) as one:
        await until(lambda: "subscribing" in one.events.said)
        before = time.monotonic()
        await until(lambda: one.events.live_since)
        assert one.events.live_since is not None
        assert one.events.live_since <= before
        assert one.events.said == [*OPENING, "live"]


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_a_subscription_that_is_refused_was_never_live(subprotocol: Subprotocol) -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await tell(connection, "error", [{"message": "no"}], id="1")
        await connection.wait_closed()

    async with served(handler, subprotocol) as stand, running(stand.url) as one:
        end = await one.ended()
        await stand.until_unused()
    assert isinstance(end.error, ServerRefused)
    assert (end.live_for, end.delivered) == (0.0, False)
    assert one.events.said == OPENING


async def test_a_result_that_refuses_ends_it_before_it_was_live() -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await connection.send(row(connection, 1))
        await connection.wait_closed()

    def refuse(result: Delivered) -> bool:
        raise ServerRefused("stream", ("Unauthorized",), ())

    events = Events()
    events.react = refuse
    async with websocket_server(handler) as stand, running(stand.url, events=events) as one:
        end = await one.ended()
        await stand.until_unused()
    assert isinstance(end.error, ServerRefused)
    assert end.live_for == 0.0
    assert events.said == OPENING


async def test_a_session_that_brings_a_row_and_ends_proves_nothing() -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await connection.send(row(connection, 0))
        await connection.close()

    async with websocket_server(handler) as stand, running(stand.url, steady_after=60.0) as one:
        end = await one.ended()
    assert one.events.said == [*OPENING, "live", "accepted"]
    assert (end.delivered, end.is_proven) == (True, False)


@pytest.mark.parametrize(
    "oddity",
    [
        '{"type":"complete","id":"1"}',
        '{"type":"error","id":"1","payload":[{"message":"Unauthorized"}]}',
        '{"type":"next","id":"1","payload":null}',
        "no JSON",
    ],
)
async def test_rows_behind_what_ends_the_operation_are_received_until_the_peers_close(oddity: str) -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        for number in range(20):
            if number == 10:
                await connection.send(oddity)
            await connection.send(row(connection, number))
        await connection.wait_closed()
        closed.append(connection.close_code)

    closed: list[int | None] = []
    async with websocket_server(handler) as stand, running(stand.url) as one:
        end = await one.ended()
        await stand.until_unused()
    assert one.events.numbers == list(range(20))
    assert closed == [1000]
    assert end.error is not None


async def test_a_result_without_data_proves_nothing() -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        for number in range(3):
            await connection.send(row(connection, number))
        await connection.close()

    events = Events()
    events.react = lambda result: number_of(result) == 2
    async with websocket_server(handler) as stand, running(stand.url, events=events) as one:
        await one.ended()
    assert events.said == [*OPENING, "live", "accepted", "proven"]
    events.react = lambda result: False
    events.said.clear()
    async with websocket_server(handler) as stand, running(stand.url, events=events) as one:
        end = await one.ended()
    assert events.said == OPENING
    assert not end.delivered


async def test_no_acknowledgement_ends_it() -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with websocket_server(handler) as stand, running(stand.url, ack_timeout=0.1) as one:
        end = await one.ended()
        await stand.until_unused()
    assert isinstance(end.error, AckTimedOut)
    assert one.events.said == OPENING[:2]


async def test_cancelling_it_ends_the_connection_and_leaves_no_task() -> None:
    async with websocket_server(flowing) as stand:
        before = asyncio.all_tasks()
        for numbers in (0, 1, 20):
            async with running(stand.url) as one:
                await until(lambda: len(one.events.numbers) >= numbers)  # noqa: B023 - called at once
                one.scope.cancel()
            await stand.until_unused()
            await until(lambda: asyncio.all_tasks() <= before)
            assert one.end is None


# Silence


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_a_strict_upstream_that_falls_silent_is_left(subprotocol: Subprotocol) -> None:
    strict = Patience(keepalive_timeout=0.3, probe=False)
    async with (
        websocket_server(quiet, speaks=[subprotocol]) as stand,
        running(stand.url, patience=strict) as one,
    ):
        end = await one.ended()
        await stand.until_unused()
    assert isinstance(end.error, Silent)
    assert time.monotonic() - end.last_heard_at >= 0.3


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_a_strict_upstream_that_falls_silent_after_rows_is_left_too(subprotocol: Subprotocol) -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await connection.send(row(connection, 1))
        await connection.wait_closed()

    strict = Patience(keepalive_timeout=0.3, probe=False)
    async with (
        websocket_server(handler, speaks=[subprotocol]) as stand,
        running(stand.url, patience=strict) as one,
    ):
        end = await one.ended()
        await stand.until_unused()
    assert isinstance(end.error, Silent)
    assert end.delivered


@pytest.mark.parametrize(("subprotocol", "word"), [(LEGACY, "ka"), (MODERN, "pong")])
async def test_a_strict_upstream_that_keeps_alive_is_not(subprotocol: Subprotocol, word: str) -> None:
    spans = 0

    async def handler(connection: ServerConnection) -> None:
        nonlocal spans
        await greet(connection)
        try:
            while True:
                await asyncio.sleep(0.1)
                await tell(connection, word)
                spans += 1
        except ConnectionClosed:
            return

    strict = Patience(keepalive_timeout=1.0, probe=False)
    async with (
        websocket_server(handler, speaks=[subprotocol]) as stand,
        running(stand.url, patience=strict) as one,
    ):
        await until(lambda: spans >= 20)
        assert one.end is None


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_a_quiet_upstream_that_answers_is_asked_and_kept(subprotocol: Subprotocol) -> None:
    pings = 0

    async def handler(connection: ServerConnection) -> None:
        nonlocal pings
        await greet(connection)
        try:
            while True:
                assert (await told(connection))["type"] == "ping"
                pings += 1
                await tell(connection, "pong")
        except ConnectionClosed:
            return

    probing = Patience(keepalive_timeout=0.5, probe=True)
    started = time.monotonic()
    async with (
        websocket_server(handler, speaks=[subprotocol]) as stand,
        running(stand.url, patience=probing) as one,
    ):
        await until(lambda: time.monotonic() - started > 2.2)  # four spans
        assert one.end is None
        assert len(stand.server.connections) == 1
    assert (pings >= 2) is (subprotocol is MODERN)


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_a_quiet_upstream_that_does_not_answer_is_asked_and_left(subprotocol: Subprotocol) -> None:
    opcodes: list[int] = []

    async def handler(peer: RawPeer) -> None:
        await peer.greet(subprotocol.value)
        while True:
            opcodes.append((await peer.said())[0])

    probing = Patience(keepalive_timeout=0.2, probe=True)
    async with raw_server(handler) as url, running(url, patience=probing) as one:
        end = await one.ended()
    assert isinstance(end.error, Silent)
    assert time.monotonic() - end.last_heard_at >= 0.4
    assert opcodes.count(9) == 1
    assert opcodes.count(1) == (3 if subprotocol is MODERN else 2)  # init, operation, ping


async def test_an_upstream_that_takes_nothing_is_left_too() -> None:
    async def handler(peer: RawPeer) -> None:
        await peer.greet()
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await anyio.sleep_forever()

    # Too large for the buffers below, so that the ping has to wait behind it.
    request = GraphQLRequest("query { a }", variable_values={"x": "y" * 30_000_000})
    probing = Patience(keepalive_timeout=0.3, probe=True)
    async with raw_server(handler) as url, running(url, patience=probing, request=request) as one:
        end = await one.ended()
    assert isinstance(end.error, Silent)


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_we_ping_as_often_as_is_wanted_while_rows_flow(subprotocol: Subprotocol) -> None:
    pings = 0

    async def handler(peer: RawPeer) -> None:
        nonlocal pings
        await peer.greet(subprotocol.value)
        kind = "next" if subprotocol is MODERN else "data"

        async def send() -> None:
            while True:
                peer.frame(b'{"type":"%s","payload":{"data":{"n":[1]}}}' % kind.encode())
                await asyncio.sleep(0.01)

        sending = asyncio.create_task(send())
        try:
            while True:
                opcode, content = await peer.said()
                pings += opcode == 9 or content == b'{"type":"ping"}'
        finally:
            sending.cancel()

    pinging = Patience(keepalive_timeout=60.0, probe=True, ping_interval=0.1)
    async with raw_server(handler) as url, running(url, patience=pinging) as one:
        await until(lambda: pings >= 3)
        assert one.events.numbers
        assert one.end is None


async def test_a_peer_that_takes_no_ping_holds_nothing_up() -> None:
    async def handler(peer: RawPeer) -> None:
        await peer.greet()
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await anyio.sleep_forever()

    request = GraphQLRequest("query { a }", variable_values={"x": "y" * 30_000_000})
    pinging = Patience(keepalive_timeout=1.0, probe=False, ping_interval=0.1)
    async with raw_server(handler) as url, running(url, patience=pinging, request=request) as one:
        end = await one.ended()
    assert isinstance(end.error, Silent)


# On purpose


@pytest.mark.parametrize("subprotocol", BOTH)
async def test_finishing_delivers_what_still_comes(subprotocol: Subprotocol) -> None:
    sent = 0

    async def handler(connection: ServerConnection) -> None:
        nonlocal sent
        await greet(connection)
        try:
            while True:
                await connection.send(row(connection, sent, size=2000))
                sent += 1
        except ConnectionClosed:
            return

    async with (
        websocket_server(handler, speaks=[subprotocol]) as stand,
        running(stand.url, close_timeout=20) as one,
    ):
        await until(lambda: len(one.events.numbers) > 100)
        one.session.finish("shed")
        one.session.finish("stop")
        end = await one.ended()
        await stand.until_unused()
    assert one.events.numbers[:sent] == list(range(sent))
    assert (end.cause, end.error, end.delivered) == ("shed", None, True)
    assert [word for word in one.events.said if word.startswith("clos")][:1] == ["closing shed"]


async def test_the_follower_hears_when_the_socket_is_closed_even_if_it_takes_long_to_take_rows() -> None:
    async def handler(connection: ServerConnection) -> None:
        await quiet(connection)

    async with websocket_server(handler) as stand, running(stand.url) as one:
        await until(lambda: one.events.live_since)
        one.session.finish("reopen")
        await one.ended()
    assert one.events.said[4:] in (["closing reopen"], ["closing reopen", "closed reopen"])


@pytest.mark.parametrize("step", ["connecting", "initialising"])
async def test_finishing_before_it_is_live_gives_it_up(step: str) -> None:
    async def handler(peer: RawPeer) -> None:
        if step == "initialising":
            await peer.upgrade()
            await peer.writer.drain()
        while await peer.reader.read(1000):
            pass
        gone.set()

    gone = anyio.Event()
    async with raw_server(handler) as url, running(url) as one:
        await until(lambda: step in one.events.said)
        one.session.finish("stop")
        end = await one.ended()
        with anyio.fail_after(5):
            await gone.wait()
    assert (end.cause, end.error, end.live_for) == ("stop", None, 0.0)
    assert one.events.said == OPENING[: OPENING.index(step) + 1]


async def test_finishing_before_it_runs_opens_nothing() -> None:
    connected = 0

    async def handler(peer: RawPeer) -> None:
        nonlocal connected
        connected += len(await peer.reader.read(1))

    async with raw_server(handler) as url, running(url, finish="stop") as one:
        assert (await one.ended()).cause == "stop"
    assert connected == 0


def sending(count: int) -> Callable[[RawPeer], Awaitable[None]]:
    """Write so many rows at once, and answer a Close."""

    async def handler(peer: RawPeer) -> None:
        await peer.greet()
        for number in range(count):
            peer.frame(b'{"type":"next","payload":{"data":{"n":[%d]}}}' % number)
        while (await peer.said())[0] != 8:
            pass
        peer.frame(b"\x03\xe8", opcode=8)
        peer.writer.write_eof()
        await peer.reader.read()

    return handler


async def test_what_comes_over_the_bound_after_our_close_waits_and_is_not_lost() -> None:
    count = 5000

    budget = MemoryBudget(1000)
    memory = budget.open(lambda: None)
    events = Events()

    def take(result: Delivered) -> bool:
        memory.take(100)
        if len(events.numbers) == 50:
            one.session.finish("shed")
        return True

    events.react = take
    async with (
        raw_server(sending(count)) as url,
        running(url, events=events, budget=budget, close_timeout=20) as one,
    ):
        await until(lambda: "closing shed" in events.said)
        await anyio.wait_all_tasks_blocked()
        assert len(events.numbers) == 51
        while one.end is None:
            memory.release(memory.held)
            await asyncio.sleep(0)
    assert events.numbers == list(range(count))
    assert one.end.error is None


@pytest.mark.parametrize("ends", [False, True])
async def test_who_reads_faster_than_we_publish_is_slowed_down_until_it_is_to_end(
    monkeypatch: pytest.MonkeyPatch, ends: bool
) -> None:
    for name in ("SLOWDOWN", "LONGEST_SLOWDOWN", "STANDSTILL"):
        monkeypatch.setattr(backpressure, name, 3600.0)
    count = 200

    budget = MemoryBudget(1000)
    sheds: list[str] = []
    memory = budget.open(lambda: sheds.append("told"))
    memory.take(1)
    memory.release(1)
    events = Events()

    def take(result: Delivered) -> bool:
        memory.take(100)
        return True

    events.react = take
    async with (
        raw_server(sending(count)) as url,
        running(url, events=events, budget=budget, memory=memory) as one,
    ):
        while len(events.numbers) < count:
            await until(lambda: memory.held > 0)
            await anyio.wait_all_tasks_blocked()
            assert memory.held <= 500
            if ends and len(events.numbers) < count // 2:
                one.session.finish("stop")
                budget.limit = 10**6
                await one.ended()
                break
            memory.release(memory.held)
    assert events.numbers == list(range(count))
    assert sheds == []


# The token


async def test_it_is_reopened_before_the_token_expires_once_there_is_a_newer_one() -> None:
    keeper = FakeKeeper(token(1))
    held = token(1, expires_in=0.8)
    assert held.expires_at is not None
    async with websocket_server(flowing) as stand, running(stand.url, held=held, keeper=keeper) as one:
        await until(lambda: time.monotonic() > held.expires_at - 0.1)  # type: ignore[operator]
        assert one.end is None  # with what should it open the next?
        keeper.put(token(2, expires_in=60))
        end = await one.ended()
    assert (end.cause, end.error) == ("reopen", None)
    assert one.events.numbers == list(range(len(one.events.numbers)))


async def test_it_is_reopened_before_and_not_at_the_end_of_the_token() -> None:
    keeper = FakeKeeper(token(2))
    held = token(1, expires_in=2.4)
    async with websocket_server(flowing) as stand, running(stand.url, held=held, keeper=keeper) as one:
        await until(lambda: "closing reopen" in one.events.said)
        assert held.expires_at is not None
        assert 0.0 < held.expires_at - time.monotonic() <= 1.2


@pytest.mark.parametrize(("expires_in", "reopens"), [(None, True), (0.2, False), (-5.0, False)])
async def test_it_outlives_a_token_that_does_not_bind_it(expires_in: float | None, reopens: bool) -> None:
    keeper, held = FakeKeeper(token(2)), token(1, expires_in=expires_in)
    async with (
        websocket_server(flowing) as stand,
        running(stand.url, held=held, keeper=keeper, reopens=reopens) as one,
    ):
        await until(lambda: len(one.events.numbers) > 300)
        assert one.end is None
