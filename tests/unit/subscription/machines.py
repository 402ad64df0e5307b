"""A protocol machine in each of its states."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from connector.subscription.messages import Subprotocol
from connector.subscription.protocol import (
    Acknowledged,
    Completed,
    Protocol,
    State,
)

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
