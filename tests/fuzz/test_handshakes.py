"""A thousand odd answers to the upgrade: what the refusal says, and the bytes themselves."""

from __future__ import annotations

import asyncio
import gzip

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from websockets.datastructures import Headers
from websockets.http11 import Response

from connector.refusals import classify
from connector.subscription import SessionError
from connector.subscription.errors import ConnectFailed, HandshakeRefused, SubprotocolRefused
from connector.subscription.handshake import handshake_refused
from connector.subscription.messages import MAX_TEXT
from tests.fuzz.strategies import EXAMPLES, JSON, SECRET, spoilt, written
from tests.unit.subscription.driving import TOKEN, connect, transport, with_token
from tests.unit.subscription.servers import RawPeer, raw_server

PAGE = f"<html><head><title>403 Forbidden</title></head><body>/graphql?token={SECRET}</body></html>".encode()
PIECES = st.sampled_from([PAGE, SECRET.encode(), b"<", b">", b"Unauthorized", b"\xff", b" " * 50, b"<" * 50])
BODIES = (
    st.lists(PIECES | st.binary(max_size=20), max_size=8).map(b"".join)
    | JSON.map(written)
    | st.just(PAGE).map(gzip.compress)
    | st.integers(0, 40).map(lambda cut: PAGE[: len(PAGE) - cut])
    | st.integers(7, len(SECRET)).map(lambda cut: b"bad token " + SECRET[:cut].encode())
    | st.integers(7, len(SECRET)).map(lambda cut: SECRET[:cut].encode())
    | st.integers(19_900, 20_100).map(lambda size: b"x" * size + SECRET.encode())
    | st.just(b"<a " * 20_000)
)
NAMES = st.sampled_from(["Retry-After", "retry-after", "WWW-Authenticate", "Content-Type", "X", "Location"])
LINE = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=20)
VALUES = LINE | st.sampled_from(
    [
        *("1", "-1", "9" * 400, "1e9", "Wed, 21 Oct 2099 07:28:00 GMT", SECRET, ""),
        f'Bearer realm="{SECRET}", error="invalid_token", error_description="{SECRET}"',
        'Bearer error="insufficient_scope"',
        'Bearer error="' + "\\" * 500,
        'Basic realm="x", Bearer error=invalid_token,,,=, error="',
    ]
)
STATUSES = st.sampled_from([200, 301, 400, 401, 402, 403, 404, 429, 500, 502, 503]) | st.integers(100, 999)


def assert_sound(error: SessionError, said: object = "") -> None:
    """Assert that the table can tell what it is, and that nothing of the token shows."""
    symptom = error.symptom
    assert classify(symptom).reason
    assert all(len(text) <= MAX_TEXT for text in symptom.texts)
    assert error.retry_after is None or 0 <= error.retry_after <= 86_400
    shown = f"{error} {error!r} {symptom!r} {said}"
    assert SECRET not in shown
    assert SECRET[:7] not in shown


@settings(max_examples=EXAMPLES)
@given(STATUSES, st.lists(st.tuples(NAMES, VALUES), max_size=5), st.none() | BODIES)
def test_any_answer_is_a_refusal_that_can_be_classified_and_tells_no_token(
    status: int, headers: list[tuple[str, str]], body: bytes | None
) -> None:
    opening = with_token("ws://h/graphql")
    response = Response(status, "why", Headers(headers), body or b"")
    error = handshake_refused(response, opening.without_token)
    assert error.symptom.status == status
    assert_sound(error)


ANSWER = b"\r\n".join(
    [
        b"HTTP/1.1 401 Unauthorized",
        b"Content-Type: text/html",
        b"Content-Length: 14",
        b"Retry-After: 7",
        b"",
        b"<b>expired</b>",
    ]
)
SWITCHING = b"\r\n".join(
    [
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: bm90IHdoYXQgd2FzIGFza2Vk",
        b"Sec-WebSocket-Protocol: graphql-transport-ws",
        b"",
        b"",
    ]
)
WIRES = (
    st.just(ANSWER)
    | spoilt(st.just(ANSWER))
    | spoilt(spoilt(st.just(ANSWER)))
    | spoilt(st.just(SWITCHING))
    | st.just(SWITCHING)
    | st.binary(max_size=60)
    | st.sampled_from([b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000, b"HTTP/1.1 403 " + b"x" * 100_000])
)


@settings(max_examples=EXAMPLES // 4)
@given(WIRES)
def test_any_bytes_for_an_answer_end_by_an_error_of_ours(loop: asyncio.Runner, wire: bytes) -> None:
    async def answer(peer: RawPeer) -> None:
        await peer.request()
        peer.writer.write(wire)
        await peer.writer.drain()
        peer.writer.write_eof()
        await peer.reader.read()

    async def run() -> SessionError | None:
        async with raw_server(answer) as url:
            one = transport(url, opening=with_token(url))
            try:
                with anyio.fail_after(30):
                    await connect(one)
            except SessionError as error:
                return error
        return None

    assert SECRET == TOKEN
    with capture_logs() as lines:
        error = loop.run(run())
    assert isinstance(error, ConnectFailed | HandshakeRefused | SubprotocolRefused)
    assert error.__context__ is None
    assert_sound(error, lines)
