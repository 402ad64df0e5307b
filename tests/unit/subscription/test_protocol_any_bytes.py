"""Anything that a peer may send, in every state, crashes nothing and loses no result."""

import json

from hypothesis import given
from hypothesis import strategies as st

from connector.subscription.errors import ProtocolViolation
from connector.subscription.messages import Subprotocol
from connector.subscription.protocol import (
    Delivered,
    State,
)
from tests.unit.subscription.machines import (
    BOTH,
    RESULT,
    STATES,
    subscribed,
)

KINDS = [
    "ka",
    "pong",
    "ping",
    "connection_ack",
    "connection_error",
    "error",
    "complete",
    "subscribe",
    "something",
    "",
]
MEANT = st.sampled_from([*KINDS, "something", "", "next", "data", "start", "connection_init", "stop"])
ANY_TEXT = st.text(st.characters() | st.characters(categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
PAYLOADS = (
    JSON | st.fixed_dictionaries({}, optional={"data": JSON, "errors": JSON}) | st.just({"data": {"a": [1]}})
)
MESSAGES = st.fixed_dictionaries({"type": MEANT}, optional={"id": JSON, "payload": PAYLOADS}).map(
    # Surrogates of their own are what `json.dumps` escapes as such.
    lambda message: json.dumps(message).encode()
)
FRAMES = MESSAGES | JSON.map(lambda value: json.dumps(value).encode()) | st.binary()


@given(st.sampled_from(BOTH), st.sampled_from(list(STATES)), st.lists(FRAMES, max_size=12))
def test_no_bytes_in_any_order_crash_it_or_lose_a_result(
    subprotocol: Subprotocol, state: State, frames: list[bytes]
) -> None:
    protocol = STATES[state](subprotocol)
    repairs: list[bool] = []
    protocol.when_repaired = lambda: repairs.append(True)
    has_operation = state in (State.SUBSCRIBED, State.ENDED)
    for frame in frames:
        try:
            event = protocol.receive(frame)
        except ProtocolViolation:
            event = None
        if has_operation and _is_result(frame):
            assert isinstance(event, Delivered)
            assert event.frame is frame or repairs


def _is_result(frame: bytes) -> bool:
    try:
        message = json.loads(frame)
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(message, dict)
        and message.get("type") in ("next", "data")
        and isinstance(message.get("payload"), dict)
    )


@given(st.sampled_from(BOTH), st.binary())
def test_rows_of_any_bytes_in_strings_come_as_they_were(subprotocol: Subprotocol, text: bytes) -> None:
    row = b'"' + bytes(byte for byte in text if byte >= 32 and byte not in b'"\\') + b'"'
    frame = b'{"type":"%s","payload":{"data":{"a":[%s]}}}' % (RESULT[subprotocol].encode(), row)
    event = subscribed(subprotocol).receive(frame)
    assert isinstance(event, Delivered)
    assert [bytes(one) for one in event.payload.data.a] == [row]
