"""What the machine says, in the words of each subprotocol."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from connector.subscription.errors import ProtocolViolation
from connector.subscription.messages import Subprotocol
from connector.subscription.protocol import (
    Pinged,
    Protocol,
)
from tests.unit.subscription.machines import (
    BOTH,
    LEGACY,
    MODERN,
    REQUEST,
    acknowledged,
    completed,
    initialising,
    opened,
    subscribed,
)


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
