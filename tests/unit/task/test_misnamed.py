"""Messages with data whose type is not a result's: their rows are not taken, and that is told and counted."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from connector.subscription import Delivered, Misnamed, Subprotocol
from connector.subscription.protocol import Event
from tests.unit.subscription.machines import BOTH, subscribed
from tests.unit.task.receiving import Desk

PAYLOAD = b'"payload":{"data":{"EVM":{"Trades":[{"a":1}]}}}'
TYPES = [
    b'"type":"NEXT"',
    b'"type":"subscription_data"',
    b'"type":""',
    *(b'"type":"next","type":"%s"' % other for other in (b"ka", b"ping", b"pong", b"connection_ack")),
]


def event(subprotocol: Subprotocol, message: bytes) -> Event:
    return subscribed(subprotocol).receive(message)


@pytest.mark.parametrize("subprotocol", BOTH)
@pytest.mark.parametrize("kind", TYPES)
def test_data_in_a_message_of_another_type_is_seen(kind: bytes, subprotocol: Subprotocol) -> None:
    for message in (b'{"id":"1",%s,%s}' % (kind, PAYLOAD), b"{%s,%s}" % (PAYLOAD, kind)):
        found = event(subprotocol, message)
        assert isinstance(found, Delivered)
        assert isinstance(found.payload, Misnamed)


@pytest.mark.parametrize("subprotocol", BOTH)
@pytest.mark.parametrize(
    "message",
    [
        b'{"type":"ka"}',
        b'{"type":"pong","payload":{"data":{"a":1}}}',
        b'{"type":"stats","payload":{"rows":1}}',
        b'{"type":"stats","payload":{"data":null}}',
        b'{"type":"stats","data":{}}',
        b'{"type":"ping","payload":{"data":{}}}',
    ],
)
def test_other_messages_are_what_they_were(message: bytes, subprotocol: Subprotocol) -> None:
    assert not isinstance(event(subprotocol, message), Delivered)


async def test_it_is_counted_and_warned_of_once() -> None:
    desk = Desk()
    frame = b'{"id":"1","type":"NEXT",%s}' % PAYLOAD
    with capture_logs() as lines:
        for _ in range(3):
            found = event(Subprotocol.TRANSPORT_WS, frame)
            assert isinstance(found, Delivered)
            assert not desk.receiver.receive(found, desk.source)
    assert (desk.told.nulls, desk.told.frames_received) == (3, 3)
    (line,) = lines
    assert (line["event"], line["type"], line["log_level"]) == (
        "data in a message of another type",
        "NEXT",
        "warning",
    )
    assert await desk.rows() == []
