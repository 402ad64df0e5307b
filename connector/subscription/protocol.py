"""
The protocol machine: bytes in, events and bytes out, no I/O (Sans-I/O).

One machine lives as long as one socket and carries one operation. It decodes the envelope only: what
is in ``payload`` is decoded in the same pass into the type that the caller compiled for its document,
and left as bytes where it does not fit. `PROTOCOL.md` maps each clause to its function and test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any

import msgspec

from connector.subscription.errors import ProtocolViolation
from connector.subscription.messages import (
    BROKEN,
    GraphQLError,
    RawEnvelope,
    RawPayload,
    Subprotocol,
    apparent_type,
    encode,
    envelope_type,
    is_nothing,
    read_errors,
    try_decode,
)
from connector.subscription.surrogates import without_lone_surrogates


class State(Enum):
    """Where the operation stands."""

    OPENED = auto()
    INITIALISING = auto()
    ACKNOWLEDGED = auto()
    SUBSCRIBED = auto()
    ENDED = auto()


class Acknowledged(msgspec.Struct, frozen=True):
    """``connection_ack``: the operation may be started."""


class Unreadable(msgspec.Struct, frozen=True):
    """The place of a payload that is not one; ``said`` tells why."""

    said: str


class Misnamed(msgspec.Struct, frozen=True):
    """The place of the payload of a message that has ``data`` and another ``type`` than a result's."""

    type: str


class Delivered(msgspec.Struct, frozen=True):
    """
    ``next`` or ``data``: one execution result.

    ``payload`` is an instance of the machine's payload type, `RawPayload` where the bytes do not fit it,
    `Unreadable`, or `Misnamed`. Its slices keep ``frame`` alive, which is what came (but see
    `Protocol.when_repaired`).
    """

    frame: bytes
    payload: Any


class Refused(msgspec.Struct, frozen=True):
    """
    ``error`` or ``connection_error``: the server will not do it.

    ``during``: "init", "subscribe", or "stream" once a result came.
    """

    during: str
    errors: tuple[GraphQLError, ...]


class Completed(msgspec.Struct, frozen=True):
    """``complete`` from the server: no more results, although the socket is open."""


class KeptAlive(msgspec.Struct, frozen=True):
    """``ka`` or ``pong``, asked for or not."""


class Pinged(msgspec.Struct, frozen=True):
    """``ping``; ``reply`` is the message to send back."""

    reply: bytes


class Ignored(msgspec.Struct, frozen=True):
    """
    A message of a type that neither subprotocol knows, or that means nothing where it comes.

    ``errors`` are those of an ``error`` that names another operation than ours.
    """

    type: str
    errors: tuple[GraphQLError, ...] = ()


class Torn(msgspec.Struct, frozen=True):
    """
    A large message that cannot be read as it is, but maybe with U+FFFD in the place of halves of surrogate
    pairs: `Protocol.receive` wants it again, with what it is then.
    """


Event = Acknowledged | Delivered | Refused | Completed | KeptAlive | Pinged | Ignored | Torn

LARGE = 512 * 1024
"""Bytes of a message whose rows are not taken apart here: each takes a multiple of its own bytes."""

LONGEST_PONG = 4096
"""Bytes of a ping's payload that are sent back; of a longer one nothing is."""

_OF_ANY_PAYLOAD = ("ka", "ping", "pong", "connection_ack")  # which may hold anything, ``data`` too
_KEPT_ALIVE = KeptAlive()
_ACKNOWLEDGED = Acknowledged()
_COMPLETED = Completed()
_TORN = Torn()


class Protocol:
    """
    The client's side of one connection.

    ``payload_type`` is a msgspec struct with the optional fields ``data`` and ``errors``. The methods
    that return bytes return one message to be sent; `receive` takes one message that came.
    """

    def __init__(self, subprotocol: Subprotocol, *, payload_type: type = RawPayload) -> None:
        self.subprotocol = subprotocol
        self.state = State.OPENED
        self._fast: msgspec.json.Decoder[Any] = msgspec.json.Decoder(envelope_type(payload_type))
        self._slow = msgspec.json.Decoder(RawEnvelope)
        self._raw_payload = msgspec.json.Decoder(RawPayload)
        self._legacy = subprotocol is Subprotocol.LEGACY_WS
        self._result = "data" if self._legacy else "next"
        self._started = False
        self._delivered = False
        self.when_repaired: Callable[[], None] = lambda: None
        """Called for each message that can be read only with U+FFFD for halves of surrogate pairs."""

    def initialise(self, payload: Mapping[str, object] | None = None) -> bytes:
        """Return ``connection_init``; ``None`` leaves its payload out."""
        self._expect(State.OPENED)
        self.state = State.INITIALISING
        return encode("connection_init", payload=payload)

    def subscribe(self, payload: Mapping[str, object]) -> bytes:
        """Return ``subscribe`` (legacy: ``start``) with the request: query, variables, operationName."""
        self._expect(State.ACKNOWLEDGED)
        self.state = State.SUBSCRIBED
        self._started = True
        return encode("start" if self._legacy else "subscribe", payload=payload, operation=True)

    def complete(self) -> bytes | None:
        """Return ``complete`` (legacy: ``stop``), or ``None`` where no operation runs."""
        if self.state is not State.SUBSCRIBED:
            return None
        return encode("stop" if self._legacy else "complete", operation=True)

    def ping(self) -> bytes | None:
        """Return ``ping``, or ``None`` on the legacy subprotocol, which has none."""
        return None if self._legacy else encode("ping")

    def receive(self, frame: bytes, repaired: bytes | None = None) -> Event:
        """
        Return what ``frame``, one whole message, means. ``repaired`` is what it is without halves of
        surrogate pairs, and ``None`` where nobody has looked yet.

        Raises:
            ProtocolViolation: It is not a message of either subprotocol.
        """
        if len(frame) > LARGE:
            return self._receive_large(frame, repaired)
        try:
            message = self._fast.decode(frame)
        except BROKEN:
            pass  # what comes of it is not raised here, where it would keep the library's error
        else:
            if message.type == self._result and self._started and message.payload is not None:
                self._delivered = True
                return Delivered(frame, message.payload)
            return self._other(message.type, frame)
        return self._receive_slowly(frame)

    def _receive_slowly(self, frame: bytes) -> Event:
        envelope = try_decode(self._slow, frame)
        if envelope is not None:
            return self._other(envelope.type, frame)
        repaired = without_lone_surrogates(frame)
        if repaired != frame and try_decode(self._slow, repaired) is not None:
            self.when_repaired()
            return self.receive(repaired)
        return self._unreadable(frame)

    def _receive_large(self, frame: bytes, repaired: bytes | None) -> Event:
        envelope = try_decode(self._slow, frame)
        if envelope is not None:
            return self._other(envelope.type, frame, envelope)
        if repaired is None and b"\\u" in frame:
            return _TORN
        if repaired is not None and repaired != frame:
            envelope = try_decode(self._slow, repaired)
            if envelope is not None:
                self.when_repaired()
                return self._other(envelope.type, repaired, envelope)
        return self._unreadable(frame)

    def _unreadable(self, frame: bytes) -> Event:
        if self._started and apparent_type(frame) == self._result:
            return Delivered(frame, Unreadable("the server sent a result that cannot be decoded"))
        raise ProtocolViolation("the server sent a message that is not of this protocol", frame)

    def _decode(self, frame: bytes) -> RawEnvelope:
        envelope = try_decode(self._slow, frame)
        assert envelope is not None, "it was decoded before"
        return envelope

    def _other(self, kind: str, frame: bytes, envelope: RawEnvelope | None = None) -> Event:
        twice = kind in _OF_ANY_PAYLOAD and frame.count(b'"type"') > 1  # and one may be a result's
        if twice and (misnamed := self._misnamed(kind, frame, envelope)) is not None:
            return misnamed
        match kind:
            case "ka" | "pong":
                return _KEPT_ALIVE
            case "ping":
                return Pinged(self._pong(envelope or self._decode(frame)))
            case "connection_ack":
                return self._acknowledge()
            case "connection_error":
                # In the middle of a stream, too: it speaks of the connection.
                return self._refuse("init", frame)
            case "next" | "data" if self._started:
                # Even after the end: rows that came are rows.
                return self._deliver(frame, envelope or self._decode(frame))
            case "error" | "complete" if (message := self._decode(frame)).is_of_another:
                # The end of some other operation; its rows would be ours all the same, for we have no other.
                errors = read_errors(message.payload) or (GraphQLError(),)
                return Ignored(kind, errors if kind == "error" else ())
            case "error" if self.state is not State.ENDED:
                return self._refuse(self._during, frame)
            case "complete" if self.state is State.SUBSCRIBED:
                self.state = State.ENDED
                return _COMPLETED
            case _:
                return self._misnamed(kind, frame, envelope) or Ignored(kind[:40])

    def _acknowledge(self) -> Event:
        if self.state is not State.INITIALISING:
            return Ignored("connection_ack")
        self.state = State.ACKNOWLEDGED
        return _ACKNOWLEDGED

    @property
    def _during(self) -> str:
        if self.state is not State.SUBSCRIBED:
            return "init"
        return "stream" if self._delivered else "subscribe"

    def _refuse(self, during: str, frame: bytes) -> Refused:
        self.state = State.ENDED
        payload = self._decode(frame).payload
        # Some have no payload, and say it beside the type.
        return Refused(during, read_errors(frame if is_nothing(payload) else payload))

    def _deliver(self, frame: bytes, envelope: RawEnvelope) -> Event:
        payload = try_decode(self._raw_payload, envelope.payload)
        self._delivered = True
        return Delivered(frame, payload or Unreadable("the server sent a result without an object in it"))

    def _misnamed(self, kind: str, frame: bytes, envelope: RawEnvelope | None) -> Event | None:
        """Return what is a result but for its type; ``None``: it is none."""
        if not self._started or b'"data"' not in frame:
            return None
        payload = try_decode(self._raw_payload, (envelope or self._decode(frame)).payload)
        if payload is None or bytes(memoryview(payload.data)[:1]) != b"{":
            return None
        return Delivered(frame, Misnamed(kind[:40]))

    def _pong(self, ping: RawEnvelope) -> bytes:
        # "The optional payload field can be used to transfer additional details": sent back as it came, but
        # not megabytes of it.
        payload = ping.payload
        is_left_out = is_nothing(payload) or len(payload) > LONGEST_PONG
        return encode("pong", payload=None if is_left_out else payload)

    def _expect(self, state: State) -> None:
        if self.state is not state:
            raise ProtocolViolation(f"{state.name.lower()} expected, {self.state.name.lower()} found")
