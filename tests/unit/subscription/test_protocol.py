"""Every message in every state, on both subprotocols; and anything else a peer may send."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.subscription.errors import ProtocolViolation
from connector.subscription.messages import GraphQLError, RawPayload, Subprotocol
from connector.subscription.protocol import (
    Acknowledged,
    Completed,
    Delivered,
    Event,
    Ignored,
    KeptAlive,
    Pinged,
    Protocol,
    Refused,
    State,
    Unreadable,
)
from connector.subscription.result import Result

MODERN, LEGACY = Subprotocol.TRANSPORT_WS, Subprotocol.LEGACY_WS
BOTH = [MODERN, LEGACY]
REQUEST = {"query": "subscription { a }"}
RESULT = {MODERN: "next", LEGACY: "data"}


class Data(msgspec.Struct):
    a: list[msgspec.Raw]


class Compiled(msgspec.Struct):
    data: Data | None = None
    errors: msgspec.Raw = msgspec.Raw()


def opened(subprotocol: Subprotocol) -> Protocol:
    return Protocol(subprotocol, payload_type=Compiled)


def initialising(subprotocol: Subprotocol) -> Protocol:
    protocol = opened(subprotocol)
    protocol.initialise()
    return protocol


def acknowledged(subprotocol: Subprotocol) -> Protocol:
    protocol = initialising(subprotocol)
    assert protocol.receive(b'{"type":"connection_ack"}') == Acknowledged()
    return protocol


def subscribed(subprotocol: Subprotocol) -> Protocol:
    protocol = acknowledged(subprotocol)
    protocol.subscribe(REQUEST)
    return protocol


def completed(subprotocol: Subprotocol) -> Protocol:
    protocol = subscribed(subprotocol)
    assert protocol.receive(b'{"id":"1","type":"complete"}') == Completed()
    return protocol


STATES: dict[State, Callable[[Subprotocol], Protocol]] = {
    State.OPENED: opened,
    State.INITIALISING: initialising,
    State.ACKNOWLEDGED: acknowledged,
    State.SUBSCRIBED: subscribed,
    State.ENDED: completed,
}
KEPT, ACK, DONE = KeptAlive(), Acknowledged(), Completed()
INIT, SUBSCRIBE = (
    Refused("init", (GraphQLError(message="no"),)),
    Refused("subscribe", (GraphQLError(message="no"),)),
)
PONG = Pinged(b'{"type":"pong"}')


def ignored(kind: str) -> Ignored:
    return Ignored(kind)


# What each message means in OPENED, INITIALISING, ACKNOWLEDGED, SUBSCRIBED, ENDED.
TABLE: dict[str, list[Event]] = {
    "ka": [KEPT] * 5,
    "pong": [KEPT] * 5,
    "ping": [PONG] * 5,
    "connection_ack": [ignored("connection_ack"), ACK, *[ignored("connection_ack")] * 3],
    "connection_error": [INIT] * 5,
    "error": [INIT, INIT, INIT, SUBSCRIBE, ignored("error")],
    "complete": [*[ignored("complete")] * 3, DONE, ignored("complete")],
    "subscribe": [ignored("subscribe")] * 5,
    "something": [ignored("something")] * 5,
    "": [ignored("")] * 5,
}


@pytest.mark.parametrize("subprotocol", BOTH)
@pytest.mark.parametrize("kind", TABLE)
def test_every_message_in_every_state(kind: str, subprotocol: Subprotocol) -> None:
    for make, expected in zip(STATES.values(), TABLE[kind], strict=True):
        message: dict[str, object] = {"type": kind, "id": "1"}
        if "error" in kind:
            message["payload"] = {"message": "no"}
        assert make(subprotocol).receive(json.dumps(message).encode()) == expected


@pytest.mark.parametrize("subprotocol", BOTH)
def test_the_states_are_reached(subprotocol: Subprotocol) -> None:
    assert [make(subprotocol).state for make in STATES.values()] == list(STATES)


@pytest.mark.parametrize("subprotocol", BOTH)
@pytest.mark.parametrize("kind", ["next", "data"])
@pytest.mark.parametrize("make", [opened, initialising, acknowledged])
def test_a_result_before_the_operation_means_nothing(
    make: Callable[[Subprotocol], Protocol], kind: str, subprotocol: Subprotocol
) -> None:
    frame = b'{"id":"1","type":"%s","payload":{"data":{"a":[1]}}}' % kind.encode()
    assert make(subprotocol).receive(frame) == Ignored(kind)


@pytest.mark.parametrize("subprotocol", BOTH)
@pytest.mark.parametrize("kind", ["next", "data"])
@pytest.mark.parametrize("make", [subscribed, completed])
def test_a_result_after_it_is_delivered_even_after_the_end(
    make: Callable[[Subprotocol], Protocol], kind: str, subprotocol: Subprotocol
) -> None:
    frame = b'{"id":"1","type":"%s","payload":{"data":{"a":[1, 2.50]}}}' % kind.encode()
    event = make(subprotocol).receive(frame)
    assert isinstance(event, Delivered)
    assert event.frame is frame
    if kind == RESULT[subprotocol]:
        assert [bytes(row) for row in event.payload.data.a] == [b"1", b"2.50"]
    else:
        assert bytes(event.payload.data) == b'{"a":[1, 2.50]}'


@pytest.mark.parametrize("subprotocol", BOTH)
def test_a_result_after_a_refusal_is_delivered(subprotocol: Subprotocol) -> None:
    protocol = subscribed(subprotocol)
    protocol.receive(b'{"type":"error","id":"1","payload":"no"}')
    frame = b'{"id":"1","type":"%s","payload":{"data":{"a":[1]}}}' % RESULT[subprotocol].encode()
    assert isinstance(protocol.receive(frame), Delivered)


@pytest.mark.parametrize("subprotocol", BOTH)
@pytest.mark.parametrize(
    "frame",
    [
        '{"id":"1","type":"KIND","payload":{"data":{"a":[1]}}}',
        '{"payload":{"data":{"a":[1]}},"id":"1","type":"KIND"}',
        ' \n{ "type" :\t"KIND" , "payload" : { "data" : { "a" : [1] } } }\r\n',
        '{"id":1,"type":"KIND","payload":{"data":{"a":[1]}}}',
        '{"id":null,"type":"KIND","payload":{"data":{"a":[1]}}}',
        '{"type":"KIND","payload":{"data":{"a":[1]}}}',
        '{"\\u0074ype":"KIND","p\\u0061yload":{"d\\u0061ta":{"\\u0061":[1]}}}',
        '{"type":"ka","type":"KIND","payload":{"data":null},"payload":{"data":{"a":[1]}}}',
        '{"type":"KIND","payload":{"data":{"a":[2]},"data":{"a":[1]},"extensions":{"x":[{}]}},"more":[]}',
        '{"type":"KIND","payload":{"errors":null,"data":{"a":[1]}}}',
    ],
)
def test_a_result_in_any_spelling(frame: str, subprotocol: Subprotocol) -> None:
    event = subscribed(subprotocol).receive(frame.replace("KIND", RESULT[subprotocol]).encode())
    assert isinstance(event, Delivered)
    assert isinstance(event.payload, Compiled)
    assert event.payload.data is not None
    assert [bytes(row) for row in event.payload.data.a] == [b"1"]


@pytest.mark.parametrize("subprotocol", BOTH)
@pytest.mark.parametrize(
    "payload",
    [
        b'{"data":{"a":{"b":1}}}',
        b'{"data":[1]}',
        b'{"data":"x"}',
        b'{"data":{"type":"error","payload":"no"}}',
    ],
)
def test_a_result_of_another_shape_is_delivered_as_bytes(payload: bytes, subprotocol: Subprotocol) -> None:
    frame = b'{"type":"%s","payload":%s}' % (RESULT[subprotocol].encode(), payload)
    event = subscribed(subprotocol).receive(frame)
    assert isinstance(event, Delivered)
    assert isinstance(event.payload, RawPayload)
    assert b'{"data":%s}' % bytes(event.payload.data) in payload


@pytest.mark.parametrize("subprotocol", BOTH)
@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"null",
        b"[]",
        b'"next"',
        b"{}",
        b'{"type":null}',
        b'{"type":1}',
        b'{"type":"ka"',
        b'{"type":"ka"} {"type":"ka"}',
        b'{"type":"\xff"}',
        b'{"type":"\\ud800","payload":nothing}',
        b'{"type":"connection_ack","payload":{"data":nothing}}',
        b'{"x":1,"type":"RESULT","payload":nothing',
        b'{"payload":{"type":"RESULT"}nothing}',
        b'{"type":"RESULT\\u0020","payload":nothing}',
        b"\x00\x01",
    ],
)
def test_what_is_no_message_is_a_violation(frame: bytes, subprotocol: Subprotocol) -> None:
    frame = frame.replace(b"RESULT", RESULT[subprotocol].encode())
    with pytest.raises(ProtocolViolation) as caught:
        subscribed(subprotocol).receive(frame)
    assert caught.value.__context__ is None  # msgspec's error may hold the payload
    assert caught.value.frame == frame
    assert frame.decode(errors="replace") not in repr(caught.value) or not frame.strip()


@pytest.mark.parametrize("subprotocol", BOTH)
@pytest.mark.parametrize(
    "frame",
    [
        b'{"type":"RESULT"}',
        b'{"type":"RESULT","payload":null}',
        b'{"type":"RESULT","payload":[]}',
        b'{"type":"RESULT","payload":"x"}',
        b'{"type":"RESULT","payload":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"id":"1","type":"RESULT","payload":{"data":nothing}}',
        b' { "id" : 1 , "type" : "RESULT", "payload":{"data":{"a":[1,',
        b'{"id":null,"type":"RESULT","payload":{"data":{"a":["\\ud800"]}}',
        b'{"payload":{"data":nothing},"id":"1","type":"RESULT"}\n',
        b'{"payload":{"data":nothing},"type":"RESULT","id":"1"}',
    ],
)
def test_a_result_that_cannot_be_read_is_delivered_as_such(frame: bytes, subprotocol: Subprotocol) -> None:
    frame = frame.replace(b"RESULT", RESULT[subprotocol].encode())
    protocol = subscribed(subprotocol)
    event = protocol.receive(frame)
    assert isinstance(event, Delivered)
    assert isinstance(event.payload, Unreadable)
    assert event.frame is frame
    assert protocol.repaired == 0
    with pytest.raises(ProtocolViolation) as caught:
        _ = Result(event.frame, event.payload).data
    assert caught.value.frame is frame


@pytest.mark.parametrize("subprotocol", BOTH)
@pytest.mark.parametrize("make", [opened, initialising, acknowledged])
def test_before_the_operation_no_bytes_are_a_result(
    make: Callable[[Subprotocol], Protocol], subprotocol: Subprotocol
) -> None:
    frame = b'{"type":"%s","payload":nothing}' % RESULT[subprotocol].encode()
    with pytest.raises(ProtocolViolation):
        make(subprotocol).receive(frame)


@pytest.mark.parametrize("subprotocol", BOTH)
def test_a_result_with_half_a_surrogate_pair_is_delivered(subprotocol: Subprotocol) -> None:
    protocol = subscribed(subprotocol)
    cut = rb'["\ud83d\ude00", "\ud83d", "\\ud83d", "x\uDE00y", "\ud83d\ud83d\ude00", "\\\ud83d"]'
    frame = b'{"type":"%s","payload":{"data":{"a":%s}}}' % (RESULT[subprotocol].encode(), cut)
    event = protocol.receive(frame)
    assert isinstance(event, Delivered)
    whole = rb'["\ud83d\ude00", "\ufffd", "\\ud83d", "x\ufffdy", "\ufffd\ud83d\ude00", "\\\ufffd"]'
    assert b"[" + b", ".join(bytes(row) for row in event.payload.data.a) + b"]" == whole
    assert protocol.repaired == 1


MEANT = st.sampled_from([*TABLE, "next", "data", "start", "connection_init", "stop"])
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
    has_operation = state in (State.SUBSCRIBED, State.ENDED)
    for frame in frames:
        try:
            event = protocol.receive(frame)
        except ProtocolViolation:
            event = None
        if has_operation and _is_result(frame):
            assert isinstance(event, Delivered)
            assert event.frame is frame or protocol.repaired


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


# What we say


def decoded(message: bytes | None) -> Any:
    assert message is not None
    return json.loads(message)


@pytest.mark.parametrize("subprotocol", BOTH)
def test_init_carries_its_payload_or_none(subprotocol: Subprotocol) -> None:
    assert decoded(opened(subprotocol).initialise()) == {"type": "connection_init"}
    message = decoded(opened(subprotocol).initialise({"token": 'a+/=%"'}))
    assert message == {"type": "connection_init", "payload": {"token": 'a+/=%"'}}


@pytest.mark.parametrize(
    ("subprotocol", "start", "stop"), [(MODERN, "subscribe", "complete"), (LEGACY, "start", "stop")]
)
def test_an_operation_is_started_and_ended_in_the_words_of_the_subprotocol(
    subprotocol: Subprotocol, start: str, stop: str
) -> None:
    protocol = acknowledged(subprotocol)
    assert decoded(protocol.subscribe(REQUEST)) == {"type": start, "id": "1", "payload": REQUEST}
    assert decoded(protocol.complete()) == {"type": stop, "id": "1"}


@pytest.mark.parametrize("subprotocol", BOTH)
@pytest.mark.parametrize("make", [opened, initialising, acknowledged, completed])
def test_nothing_is_completed_where_nothing_runs(
    make: Callable[[Subprotocol], Protocol], subprotocol: Subprotocol
) -> None:
    assert make(subprotocol).complete() is None


def test_only_the_modern_subprotocol_has_a_ping() -> None:
    assert decoded(opened(MODERN).ping()) == {"type": "ping"}
    assert opened(LEGACY).ping() is None


@pytest.mark.parametrize("payload", [b'{"a": 1.50}', b"[1]", b'"x"', b"0"])
def test_a_pong_sends_back_what_the_ping_brought(payload: bytes) -> None:
    event = initialising(MODERN).receive(b'{"type":"ping","payload":%s}' % payload)
    assert isinstance(event, Pinged)
    assert msgspec.json.decode(event.reply, type=dict[str, msgspec.Raw])["payload"] == msgspec.Raw(payload)


@pytest.mark.parametrize("subprotocol", BOTH)
def test_nothing_is_sent_out_of_turn(subprotocol: Subprotocol) -> None:
    with pytest.raises(ProtocolViolation):
        opened(subprotocol).subscribe(REQUEST)
    with pytest.raises(ProtocolViolation):
        initialising(subprotocol).initialise()
    with pytest.raises(ProtocolViolation):
        subscribed(subprotocol).subscribe(REQUEST)
