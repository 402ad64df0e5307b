"""Port 8083 under callers that hold on to it, on loopback sockets."""

import asyncio
import contextlib
import http.client
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from functools import partial

import anyio
import anyio.to_thread
import pytest

from connector.api import ApiServer, ConnectionLimits
from connector.api.connections import Pace, Turns
from tests.unit.api.test_server import METRICS, FakeHealth, ask, get, serve


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def serving(
    limits: ConnectionLimits,
    *,
    render: Callable[[], tuple[bytes, str]] = lambda: (METRICS, "text/plain"),
    health: FakeHealth | None = None,
    clock: Callable[[], float] = lambda: 0.0,
) -> AsyncIterator[int]:
    server = ApiServer("127.0.0.1", 0, health or FakeHealth(), render, limits=limits, clock=clock)
    async with anyio.create_task_group() as group:
        with anyio.fail_after(60):
            yield await group.start(partial(serve, server))
            group.cancel_scope.cancel()


def hold(port: int, said: bytes, number: int, stack: ExitStack) -> list[socket.socket]:
    held = []
    for _ in range(number):
        sock = stack.enter_context(socket.create_connection(("127.0.0.1", port), 30))
        sock.sendall(said)
        held.append(sock)
    return held


def is_ended(sock: socket.socket) -> bool:
    try:
        while sock.recv(4096):
            pass
    except ConnectionResetError:
        pass
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize("said", [b"", b"GET /livez HTTP/1.1\r\nHost: x\r\n", b"POST /livez HTTP/1.1\r\n"])
async def test_a_probe_is_answered_while_others_hold_more_connections_than_there_are(said: bytes) -> None:
    async with serving(ConnectionLimits(connections=5, exchange=60)) as port:
        with ExitStack() as stack:
            held = await anyio.to_thread.run_sync(hold, port, said, 20, stack)
            answer = await get(port, "/livez")
            ended = [await anyio.to_thread.run_sync(is_ended, sock) for sock in held[:15]]
    assert answer.status == 200
    assert all(ended)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET /li",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: ",
        b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /livez",
        b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf",
    ],
)
async def test_half_a_request_does_not_keep_its_connection(said: bytes) -> None:
    async with serving(ConnectionLimits(exchange=0.3)) as port:
        with ExitStack() as stack:
            (held,) = await anyio.to_thread.run_sync(hold, port, said, 1, stack)
            assert await anyio.to_thread.run_sync(is_ended, held)


def read_all(sock: socket.socket) -> int:
    """Return how many bytes there were until the end, be it a broken one."""
    count = 0
    with contextlib.suppress(ConnectionResetError):
        while came := sock.recv(65_536):
            count += len(came)
    return count


async def test_who_does_not_read_does_not_keep_its_connection() -> None:
    large = b"x" * 40_000_000
    async with serving(ConnectionLimits(exchange=0.5), render=lambda: (large, "text/plain")) as port:
        await get(port, "/livez")  # what it is made of is imported by the first caller
        with ExitStack() as stack:
            (held,) = await anyio.to_thread.run_sync(
                hold, port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 1, stack
            )
            await anyio.sleep(4)
            # The answer was given up, and not only the connection closed once it would have been read.
            assert await anyio.to_thread.run_sync(read_all, held) < len(large)


async def test_a_connection_that_is_used_stays() -> None:
    def use(port: int) -> list[int]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        seen: list[int] = []
        for _ in range(3):
            connection.request("GET", "/livez")
            connection.getresponse().read()
            seen.append(connection.sock.getsockname()[1])
        connection.close()
        return seen

    async with serving(ConnectionLimits(connections=1)) as port:
        assert len(set(await anyio.to_thread.run_sync(use, port))) == 1


async def test_metrics_are_computed_now_and_then_however_many_ask() -> None:
    computed: list[float] = []
    clock = Clock()

    def render() -> tuple[bytes, str]:
        computed.append(clock.now)
        return METRICS, "text/plain"

    async with serving(ConnectionLimits(), render=render, clock=clock) as port:
        for _ in range(20):
            assert (await anyio.to_thread.run_sync(ask, port, "/metrics")).body == METRICS
        assert computed == [100.0]
        clock.now += 1.0
        await anyio.to_thread.run_sync(ask, port, "/metrics")
        clock.now += 0.9
        await anyio.to_thread.run_sync(ask, port, "/metrics")
    assert computed == [100.0, 101.0]


async def test_how_long_metrics_stay_is_for_whoever_serves_them() -> None:
    computed: list[float] = []

    def render() -> tuple[bytes, str]:
        computed.append(0.0)
        return METRICS, "text/plain"

    server = ApiServer("127.0.0.1", 0, FakeHealth(), render, metrics_age=0)
    async with anyio.create_task_group() as group:
        with anyio.fail_after(60):
            port = await group.start(partial(serve, server))
            for _ in range(3):
                await anyio.to_thread.run_sync(ask, port, "/metrics")
        group.cancel_scope.cancel()
    assert len(computed) == 3


async def test_readiness_that_changes_is_told_at_once_and_computed_now_and_then() -> None:
    health, clock = FakeHealth(), Clock()
    async with serving(ConnectionLimits(), health=health, clock=clock) as port:
        for _ in range(5):
            await get(port, "/readyz")
        assert health.asked == ["body"]
        health.is_ready = True
        assert (await get(port, "/readyz")).json()["ready"] is True  # type: ignore[index]


async def test_who_scrapes_without_a_pause_waits_and_probes_do_not() -> None:
    scraped: list[float] = []

    def flood(port: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for _ in range(12):
            connection.request("GET", "/metrics")
            connection.getresponse().read()
            scraped.append(time.monotonic())
        connection.close()

    async with serving(ConnectionLimits(scrapes=4)) as port, anyio.create_task_group() as group:
        begun = time.monotonic()
        for _ in range(2):
            group.start_soon(anyio.to_thread.run_sync, flood, port)
        while len(scraped) < 5:  # noqa: ASYNC110 - in threads
            await anyio.sleep(0.01)
        for _ in range(10):
            assert (await get(port, "/livez")).status == 200
        assert len(scraped) < 24
    assert len(scraped) == 24
    # Four at once, and then one each quarter of a second.
    assert scraped[-1] - begun > 4.5


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("is_split", [False, True])
async def test_scrapes_take_turns_however_they_are_sent(method: str, is_split: bool) -> None:
    one = f"{method} /metrics?a=b HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    answered = 0

    def send(port: int) -> None:
        nonlocal answered
        with socket.create_connection(("127.0.0.1", port), 30) as sock:
            for part in (one[:8], one[8:] + one * 11) if is_split else (one * 12,):
                sock.sendall(part)
                time.sleep(0.1)
            while answered < 12 and (came := sock.recv(65_536)):
                answered += came.count(b"HTTP/1.1 200")

    async with serving(ConnectionLimits(scrapes=4)) as port:
        assert (await get(port, "/livez")).status == 200
        begun = time.monotonic()
        await anyio.to_thread.run_sync(send, port)
    assert answered == 12
    # Four at once, and then one each quarter of a second.
    assert time.monotonic() - begun > 1.5


def test_a_pace_lets_so_many_go_at_once_and_the_rest_by_turns() -> None:
    pace = Pace(4)
    assert [pace.wait(100.0) for _ in range(6)] == [0, 0, 0, 0, 0.25, 0.25]
    assert [pace.wait(100.5) for _ in range(3)] == [0, 0, 0.25]
    assert [pace.wait(1000.0) for _ in range(5)] == [0, 0, 0, 0, 0.25]


async def test_scrapes_that_hang_up_leave_no_debt() -> None:
    def hang_up(port: int) -> None:
        for _ in range(600):
            with socket.create_connection(("127.0.0.1", port), 30) as sock:
                sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")

    # At this pace they would be 300 seconds of others' turns.
    async with serving(ConnectionLimits(scrapes=2)) as port:
        assert (await get(port, "/livez")).status == 200
        await anyio.to_thread.run_sync(hang_up, port)
        with anyio.fail_after(30):
            assert (await anyio.to_thread.run_sync(ask, port, "/metrics")).status == 200


async def test_a_turn_is_taken_in_the_order_of_asking_and_not_by_who_left() -> None:
    turns, went = Turns(50.0), list[int]()
    loop = asyncio.get_running_loop()
    for number in range(1000):
        turns.ask(number, partial(went.append, number), loop)
    at_once = len(went)
    for number in range(at_once, 990):
        turns.leave(number)
    with anyio.fail_after(15):  # all of them would take nearly twenty seconds
        while len(went) < at_once + 10:  # noqa: ASYNC110 - a timer of the loop
            await anyio.sleep(0.01)
    assert went == [*range(at_once), *range(990, 1000)]
    assert 50 <= at_once < 700


async def test_a_probe_in_a_burst_of_silent_connections_is_answered() -> None:
    async with serving(ConnectionLimits(connections=10, exchange=60)) as port:
        assert (await get(port, "/livez")).status == 200
        with ExitStack() as stack:
            # While the loop is busy all of them come; then it accepts them in one go.
            (probe,) = hold(port, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", 1, stack)
            silent = hold(port, b"", 15, stack)
            answer = await anyio.to_thread.run_sync(probe.recv, 100)
            ended = 0
            for sock in silent[:6]:
                ended += await anyio.to_thread.run_sync(is_ended, sock)
    assert answer.startswith(b"HTTP/1.1 200")
    assert ended >= 5
