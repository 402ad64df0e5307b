import http.client
import json
import logging
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import anyio
import anyio.to_thread
import pytest

from connector.api import (
    ApiServer,
    CannotListen,
    ConfigBody,
    KafkaBody,
    ReadyBody,
    SubscriptionBody,
    TokenBody,
)
from connector.errors import FatalError

METRICS = b"# HELP x X.\n# TYPE x gauge\nx 1.0\n"
CONTENT_TYPE = "text/plain; version=1.0.0; charset=utf-8"


@dataclass
class FakeHealth:
    """Satisfies `Health`."""

    is_ready: bool = False
    last_error: str | None = None
    asked: list[str] = field(default_factory=list)

    def ready(self) -> bool:
        return self.is_ready

    def body(self) -> ReadyBody:
        self.asked.append("body")
        return ReadyBody(
            ready=self.is_ready,
            token=TokenBody(state="valid", expires_in_seconds=4.5, last_error=self.last_error),
            kafka=KafkaBody(state="up"),
            config=ConfigBody(state="current", last_error=None, loaded_at=1.5),
            subscriptions={
                "trades": SubscriptionBody(state="live", since=1.5, last_row_at=None, last_error=None)
            },
        )


class BrokenHealth(FakeHealth):
    def body(self) -> ReadyBody:
        raise RuntimeError("health is ill")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> object:
        return json.loads(self.body)


def ask(port: int, path: str, method: str = "GET", host: str = "127.0.0.1") -> Answer:
    connection = http.client.HTTPConnection(host, port, timeout=20)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())
    finally:
        connection.close()


async def get(port: int, path: str, method: str = "GET", host: str = "127.0.0.1") -> Answer:
    return await anyio.to_thread.run_sync(partial(ask, port, path, method, host))


@asynccontextmanager
async def serving(
    health: FakeHealth | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    render: Callable[[], tuple[bytes, str]] = lambda: (METRICS, CONTENT_TYPE),
    redact: Callable[[str], str] = str,
) -> AsyncIterator[int]:
    server = ApiServer(host, port, health or FakeHealth(), render, redact=redact)
    async with anyio.create_task_group() as group:
        with anyio.fail_after(30):
            yield await group.start(partial(serve, server))
            group.cancel_scope.cancel()


async def serve(server: ApiServer, *, task_status: anyio.abc.TaskStatus[int]) -> None:
    await server.serve(task_status=task_status)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


async def test_what_others_said_is_shown_to_a_terminal_in_ascii() -> None:
    said = "\x9b31m\x1b]0;x\x07\x7f \u202egnp.exe \u2028 bücher \U0001f600"
    async with serving(FakeHealth(last_error=said)) as port:
        answer = await get(port, "/readyz")

    assert answer.body.isascii()
    assert b"\x7f" not in answer.body
    assert b"\x1b" not in answer.body
    assert answer.json()["token"]["last_error"] == said  # type: ignore[index]


async def test_it_is_alive_whatever_the_health() -> None:
    async with serving(BrokenHealth()) as port:
        answer = await get(port, "/livez")

    assert (answer.status, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["content-type"] == "application/json"
    assert "server" not in answer.headers


async def test_it_is_ready_once_the_health_says_so() -> None:
    health = FakeHealth()
    async with serving(health) as port:
        before = await get(port, "/readyz")
        health.is_ready = True
        after = await get(port, "/readyz")

    assert (before.status, after.status) == (503, 200)
    assert after.json() == {
        "ready": True,
        "token": {"state": "valid", "expires_in_seconds": 4.5, "last_error": None},
        "kafka": {"state": "up", "error": None, "token": None},
        "config": {"state": "current", "last_error": None, "loaded_at": 1.5},
        "offsets": {"state": "off", "error": None},
        "subscriptions": {"trades": {"state": "live", "since": 1.5, "last_row_at": None, "last_error": None}},
    }


async def test_metrics_come_as_they_were_rendered() -> None:
    async with serving() as port:
        answer = await get(port, "/metrics")

    assert (answer.status, answer.headers["content-type"], answer.body) == (200, CONTENT_TYPE, METRICS)


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
async def test_head_gives_the_headers_alone(path: str) -> None:
    async with serving(FakeHealth(is_ready=True)) as port:
        head = await get(port, path, "HEAD")
        whole = await get(port, path)

    assert head.status == 200
    assert head.body == b""
    assert head.headers["content-length"] == str(len(whole.body))


@pytest.mark.parametrize("path", ["/", "/nothing", "/livez/", "/metrics/x", "/readyz%00"])
async def test_a_path_that_is_unknown_is_told_in_json(path: str) -> None:
    async with serving() as port:
        answer = await get(port, path)

    assert (answer.status, answer.json()) == (404, {"error": "Not Found"})


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_a_wrong_method_is_told_with_those_allowed(method: str) -> None:
    async with serving() as port:
        answer = await get(port, "/livez", method)

    assert (answer.status, answer.json()) == (405, {"error": "Method Not Allowed"})
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


async def test_bodies_are_redacted() -> None:
    health = FakeHealth(last_error="refused s3cret")
    metrics = b'x{last_error="s3cret"} 1.0\n'

    def redact(text: str) -> str:
        return text.replace("s3cret", "***")

    async with serving(health, render=lambda: (metrics, CONTENT_TYPE), redact=redact) as port:
        bodies = [(await get(port, path)).body for path in ("/readyz", "/metrics")]

    assert all(b"***" in body and b"s3cret" not in body for body in bodies)


async def test_a_failure_while_answering_fails_that_answer_alone(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(BrokenHealth()) as port:
        broken = await get(port, "/readyz")
        alive = await get(port, "/livez")

    assert (broken.status, alive.status) == (500, 200)
    assert b"health is ill" not in broken.body
    assert "health is ill" in caplog.text


async def test_a_port_that_is_taken_is_told_with_its_remedy() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        server = ApiServer("127.0.0.1", port, FakeHealth(), lambda: (b"", ""))

        with pytest.raises(CannotListen) as caught:
            await server.serve()

    assert isinstance(caught.value, FatalError)
    assert str(caught.value).startswith(
        f"cannot listen on 127.0.0.1:{port}: address already in use → set http."
    )


@pytest.mark.parametrize(
    ("host", "place"), [("192.0.2.1", "192.0.2.1:0"), ("2001:db8::1", "[2001:db8::1]:0")]
)
async def test_an_address_that_is_not_ours_is_told(host: str, place: str) -> None:
    with pytest.raises(CannotListen, match="cannot listen on") as caught:
        await ApiServer(host, 0, FakeHealth(), lambda: (b"", "")).serve()

    assert place in str(caught.value)


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on this machine")
async def test_an_ipv6_address_serves() -> None:
    async with serving(host="::1") as port:
        answer = await get(port, "/livez", host="::1")

    assert answer.status == 200


async def test_cancelled_before_anyone_asked_it_closes_the_port() -> None:
    async with serving() as port:
        pass

    assert is_free(port)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: ",
        b"nonsense\r\n\r\n",
    ],
    ids=["nothing sent", "kept alive", "half a request", "nonsense"],
)
async def test_cancelled_it_closes_the_port_though_a_client_stays(sent: bytes) -> None:
    async with serving() as port:
        await get(port, "/livez")
        client = await anyio.connect_tcp("127.0.0.1", port)
        if sent:
            await client.send(sent)
        if sent.endswith(b"\r\n\r\n"):
            await client.receive()

    assert is_free(port)
    with anyio.fail_after(5):
        await until_closed(client)
    await client.aclose()


async def test_cancelled_it_cuts_a_client_that_does_not_read() -> None:
    huge = b"# " + b"x" * 64_000_000 + b"\n"
    asked = anyio.Event()

    def render() -> tuple[bytes, str]:
        asked.set()
        return huge, CONTENT_TYPE

    async with serving(render=render) as port:
        client = await anyio.connect_tcp("127.0.0.1", port)
        await client.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        await asked.wait()

    assert is_free(port)
    with anyio.fail_after(5):
        assert await until_closed(client) < len(huge)
    await client.aclose()


async def until_closed(client: anyio.abc.ByteStream) -> int:
    """Return how many bytes came before the end."""
    received = 0
    try:
        while True:
            received += len(await client.receive())
    except (anyio.EndOfStream, anyio.BrokenResourceError):
        return received


async def test_no_request_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving() as port:
        await get(port, "/livez?token=abc")

    assert "/livez" not in caplog.text


def test_the_web_framework_is_not_imported_before_somebody_asks() -> None:
    script = """
import sys, anyio
from connector.api import ApiServer
async def main():
    server = ApiServer("127.0.0.1", 0, None, lambda: (b"", ""))
    async with anyio.create_task_group() as group:
        await group.start(lambda *, task_status: server.serve(task_status=task_status))
        await anyio.wait_all_tasks_blocked()
        print(sorted({"starlette", "uvicorn"} & set(sys.modules)))
        group.cancel_scope.cancel()
anyio.run(main)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"
