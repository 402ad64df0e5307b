"""A thousand malformed frames: to the protocol machine, and over a socket in any pieces."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import anyio
import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from connector.subscription import SessionError, SocketClosed, Subprotocol
from connector.subscription.errors import ProtocolViolation
from connector.subscription.protocol import Completed, Delivered, Event, Protocol, Refused
from tests.fuzz.strategies import EXAMPLES, JSON, SECRET, frames
from tests.unit.subscription.driving import REQUEST, TOKEN, connect, results_of, transport, with_token
from tests.unit.subscription.servers import RawPeer, raw_server

BOTH = st.sampled_from(list(Subprotocol))
PAYLOADS = st.fixed_dictionaries({}, optional={"data": JSON, "errors": JSON}) | st.just({"data": {"a": [1]}})
FRAMES = frames(PAYLOADS)
ACK = b'{"type":"connection_ack"}'


class Data(msgspec.Struct):
    a: list[msgspec.Raw]


class Compiled(msgspec.Struct):
    data: Data | None = None
    errors: msgspec.Raw = msgspec.Raw()


def is_result(frame: bytes) -> bool:
    """Tell, as another JSON parser reads it, whether ``frame`` is a result, well formed."""
    try:
        message = json.loads(frame.decode("utf-8"))
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(message, dict)
        and message.get("type") in ("next", "data")
        and isinstance(message.get("payload"), dict)
        and b"NaN" not in frame  # which that parser takes for JSON
        and b"Infinity" not in frame
    )


def received(protocol: Protocol, frame: bytes) -> Event | ProtocolViolation:
    try:
        return protocol.receive(frame)
    except ProtocolViolation as error:
        return error


@settings(max_examples=EXAMPLES)
@given(BOTH, st.integers(0, 12), st.lists(FRAMES, max_size=12))
def test_the_machine_takes_anything_and_loses_no_result(
    subprotocol: Subprotocol, subscribes_after: int, sent: list[bytes]
) -> None:
    protocol = Protocol(subprotocol, payload_type=Compiled)
    protocol.initialise()
    protocol.receive(ACK)
    is_started = False
    for number, frame in enumerate(sent):
        if number == subscribes_after:
            try:
                protocol.subscribe({"query": "subscription { a }"})
            except ProtocolViolation:
                return  # refused before
            is_started = True
        event = received(protocol, frame)
        if isinstance(event, ProtocolViolation):
            assert SECRET not in str(event)
            assert event.__context__ is None
        if is_started and is_result(frame):
            assert isinstance(event, Delivered)


PIECES = st.lists(st.integers(1, 9), min_size=1, max_size=6)
"""How a message is cut into fragments, over and over."""

CONTROL = st.sampled_from([(9, b""), (9, b"x" * 125), (10, b"unasked")])
"""A ping and pongs of RFC 6455, which may stand between fragments."""

ENDINGS = st.sampled_from(
    [
        "nothing",  # FIN
        "reset",
        "close",
        "close without a code",
        "close of one byte",
        "close with a code that is none",
        "close with a reason that is no text",
        "reserved bits",
        "an opcode that is none",
        "a masked frame",
        "a long ping",
        "a ping in fragments",
        "a continuation of nothing",
        "a length that is none",
        "http",
        "text that is no text",
    ]
)
ENDED_BY = {
    "close": b"\x88\x15" + b"\x03\xe8" + SECRET.encode(),
    "close without a code": b"\x88\x00",
    "close of one byte": b"\x88\x01\x03",
    "close with a code that is none": b"\x88\x02\x00\x01",
    "close with a reason that is no text": b"\x88\x04\x03\xe8\xff\xfe",
    "reserved bits": b"\xf1\x01x",
    "an opcode that is none": b"\x8b\x00",
    "a masked frame": b"\x81\x81aaaax",
    "a long ping": b"\x89\x7e\x00\x7e" + b"x" * 126,
    "a ping in fragments": b"\x09\x00",
    "a continuation of nothing": b"\x80\x01x",
    "a length that is none": b"\x81\x7f" + b"\xff" * 8,
    "http": b"HTTP/1.1 400 Bad Request\r\n\r\n" + SECRET.encode() * 9,
    "text that is no text": b"\x81\x02\xff\xfe",
}

CODES = {
    "nothing": 1006,
    "reset": 1006,
    "close": 1000,
    "close without a code": 1005,
    "close with a reason that is no text": 1007,
    "a length that is none": 1009,
}
"""What the end is told as (RFC 6455 §7.4.1); any other is 1002, our own, for what the peer may not send."""


class Peer:
    """Sends ``sent`` in pieces after the operation was started, and ends by ``ending``."""

    def __init__(
        self, subprotocol: Subprotocol, sent: list[bytes], pieces: list[int], control: Any, ending: str
    ) -> None:
        self._subprotocol = subprotocol
        self._sent = sent
        self._pieces = pieces
        self._control = control
        self._ending = ending

    async def serve(self, peer: RawPeer) -> None:
        await peer.greet(self._subprotocol.value)
        await peer.said()
        await peer.said()
        for number, message in enumerate(self._sent):
            self._write(peer, message, opcode=1 if number % 3 else 2)
        await peer.writer.drain()
        if self._ending == "reset":
            peer.reset()
            return
        peer.writer.write(ENDED_BY.get(self._ending, b""))
        await peer.writer.drain()
        peer.writer.write_eof()
        await peer.reader.read()

    def _write(self, peer: RawPeer, message: bytes, *, opcode: int) -> None:
        at, turn = 0, 0
        while True:
            length = self._pieces[turn % len(self._pieces)]
            peer.frame(message[at : at + length], opcode=opcode, fin=at + length >= len(message))
            at, turn, opcode = at + length, turn + 1, 0
            if at >= len(message):
                return
            peer.frame(self._control[1], opcode=self._control[0])


async def deliver(url: str) -> tuple[list[bytes], SessionError | None]:
    """Return the frames of the results that came, and how it ended."""
    results: list[bytes] = []
    one = transport(url, opening=with_token(url))
    try:
        with anyio.fail_after(20):
            await connect(one)
            async for result in results_of(one, REQUEST):
                results.append(result.frame)
    except SessionError as error:
        return results, error
    finally:
        one.abort()
    return results, None


@settings(max_examples=EXAMPLES // 2)
@given(BOTH, st.lists(FRAMES, max_size=6), PIECES, CONTROL, ENDINGS)
def test_over_a_socket_it_ends_by_an_error_of_ours_after_every_result_before_that(
    loop: asyncio.Runner,
    subprotocol: Subprotocol,
    sent: list[bytes],
    pieces: list[int],
    control: Any,
    ending: str,
) -> None:
    async def run() -> tuple[list[bytes], SessionError | None]:
        peer = Peer(subprotocol, sent, pieces, control, ending)
        async with raw_server(peer.serve) as url:
            return await deliver(url)

    assert SECRET == TOKEN
    with capture_logs() as lines:
        results, error = loop.run(run())
    assert error is not None
    assert error.__context__ is None
    assert SECRET not in f"{error} {error!r} {error.symptom!r} {lines}"
    assert SECRET[:8] not in f"{error} {error.symptom!r}"
    expected, is_over = before_the_end(subprotocol, sent)
    if ending == "reset":  # which overtakes what was sent
        assert results == expected[: len(results)]
        return
    assert results == expected
    if ending == "text that is no text":
        assert is_over or isinstance(error, ProtocolViolation)
    elif not is_over:
        assert isinstance(error, SocketClosed)
        assert error.symptom.close_code == CODES.get(ending, 1002)


def before_the_end(subprotocol: Subprotocol, sent: list[bytes]) -> tuple[list[bytes], bool]:
    """Return the results up to the first frame that ends the session, and whether there was one."""
    protocol = Protocol(subprotocol)
    protocol.initialise()
    protocol.receive(ACK)
    protocol.subscribe({})
    found: list[bytes] = []
    for frame in sent:
        event = received(protocol, frame)
        if isinstance(event, ProtocolViolation | Refused | Completed):
            return found, True
        if isinstance(event, Delivered):
            found.append(event.frame)
    return found, False
