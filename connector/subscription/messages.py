"""
The envelopes of both subprotocols, as they look on the wire.

``graphql-transport-ws`` is specified by the npm package ``graphql-ws``; ``graphql-ws`` is the older
protocol of the npm package ``subscriptions-transport-ws``. `PROTOCOL.md` maps their clauses to code.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

OPERATION_ID = "1"
"""One socket carries one operation, so its id never changes."""

CLIENT_CLOSE = 1000
"""What we say when we close on purpose (RFC 6455 §7.4.1)."""


class Subprotocol(StrEnum):
    """What is offered in ``Sec-WebSocket-Protocol``."""

    TRANSPORT_WS = "graphql-transport-ws"
    LEGACY_WS = "graphql-ws"


class GraphQLError(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of ``errors`` (GraphQL October 2021 §7.1.2), the parts that classify it."""

    message: str = ""
    code: str | None = None


class _Extensions(msgspec.Struct):
    code: str | int | None = None


class _WireError(msgspec.Struct):
    message: str | None = None
    extensions: _Extensions | None = None


class RawEnvelope(msgspec.Struct):
    """Any message whose payload is not, or need not be, understood."""

    type: str
    payload: msgspec.Raw = msgspec.Raw()


class RawPayload(msgspec.Struct):
    """The result of an operation with its parts left as bytes."""

    data: msgspec.Raw = msgspec.Raw()
    errors: msgspec.Raw = msgspec.Raw()


def envelope_type(payload_type: type) -> type:
    """Return the struct of a message whose ``payload`` is decoded in the same pass."""
    optional: Any = payload_type | None
    return msgspec.defstruct("Envelope", [("type", str), ("payload", optional, None)])


def encode(kind: str, *, payload: object = None, operation: bool = False) -> bytes:
    """Return one message; ``payload`` is left out when ``None``, ``id`` unless ``operation``."""
    message: dict[str, object] = {"type": kind}
    if operation:
        message["id"] = OPERATION_ID
    if payload is not None:
        message["payload"] = payload
    return msgspec.json.encode(message)


_errors = msgspec.json.Decoder(list[_WireError])
_error = msgspec.json.Decoder(_WireError)
MAX_ERRORS = 20
MAX_TEXT = 500


def read_errors(raw: bytes | msgspec.Raw) -> tuple[GraphQLError, ...]:
    """
    Return the errors in ``raw``: a list of errors, one error, or a string, as servers really send.

    What cannot be understood becomes one error without a text; an empty list or ``null`` is no error.
    Texts are cut to `MAX_TEXT`, the list to `MAX_ERRORS`.
    """
    text = bytes(raw)
    if text in (b"", b"null", b"[]"):
        return ()
    for decoder in (_errors, _error):
        try:
            found = decoder.decode(text)
        except (msgspec.DecodeError, RecursionError):
            continue
        listed = found if isinstance(found, list) else [found]
        return tuple(_plain(error) for error in listed[:MAX_ERRORS])
    try:
        return (GraphQLError(message=msgspec.json.decode(text, type=str)[:MAX_TEXT]),)
    except (msgspec.DecodeError, RecursionError):
        return (GraphQLError(),)


class _InBand(msgspec.Struct):
    type: str
    payload: msgspec.Raw = msgspec.Raw()


_in_band = msgspec.json.Decoder(_InBand)
_envelope = msgspec.json.Decoder(RawEnvelope)
_payload = msgspec.json.Decoder(RawPayload)


def result_of(frame: bytes) -> RawPayload:
    """Return the result in a whole ``next`` or ``data`` message, its parts left as bytes."""
    try:
        return _payload.decode(_envelope.decode(frame).payload)
    except (msgspec.DecodeError, RecursionError):
        return RawPayload()


def refusal_in_data(data: bytes | msgspec.Raw) -> tuple[GraphQLError, ...]:
    """Return the errors of a result whose ``data`` is itself ``{"type": "error", "payload": …}``."""
    try:
        message = _in_band.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return ()
    return (read_errors(message.payload) or (GraphQLError(),)) if message.type == "error" else ()


def _plain(error: _WireError) -> GraphQLError:
    code = error.extensions.code if error.extensions else None
    return GraphQLError(
        message=(error.message or "")[:MAX_TEXT], code=None if code is None else str(code)[:MAX_TEXT]
    )
