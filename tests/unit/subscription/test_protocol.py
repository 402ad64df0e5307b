"""Every message in every state, on both subprotocols."""

import json
from collections.abc import Callable

import pytest

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
    Unreadable,
)
from tests.unit.subscription.machines import (
    BOTH,
    RESULT,
    STATES,
    Compiled,
    acknowledged,
    completed,
    initialising,
    opened,
    subscribed,
)

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
    repairs: list[bool] = []
    protocol.when_repaired = lambda: repairs.append(True)
    event = protocol.receive(frame)
    assert isinstance(event, Delivered)
    assert isinstance(event.payload, Unreadable)
    assert event.frame is frame
    assert repairs == []
    assert event.payload.said.startswith("the server sent a result ")


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
    repairs: list[bool] = []
    protocol.when_repaired = lambda: repairs.append(True)
    event = protocol.receive(frame)
    assert isinstance(event, Delivered)
    whole = rb'["\ud83d\ude00", "\ufffd", "\\ud83d", "x\ufffdy", "\ufffd\ud83d\ude00", "\\\ufffd"]'
    assert b"[" + b", ".join(bytes(row) for row in event.payload.data.a) + b"]" == whole
    assert repairs == [True]
