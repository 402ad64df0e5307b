"""
The envelopes of both subprotocols, as they look on the wire.

``graphql-transport-ws`` is specified by the npm package ``graphql-ws``; ``graphql-ws`` is the older
protocol of the npm package ``subscriptions-transport-ws``. `PROTOCOL.md` maps their clauses to code.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from connector.records.list_slices import ListSlices
from connector.refusals import LONGEST_TEXT
from connector.subscription.error_codes import codes_of

OPERATION_ID = "1"
"""One socket carries one operation, so its id never changes."""

_OURS = (b"", b"null", b'""', b'"%b"' % OPERATION_ID.encode(), OPERATION_ID.encode())

CLIENT_CLOSE = 1000
"""What we say when we close on purpose (RFC 6455 §7.4.1)."""

MESSAGE_TOO_BIG = 1009
"""What is said of a message above the limit (RFC 6455 §7.4.1)."""


class Subprotocol(StrEnum):
    """What is offered in ``Sec-WebSocket-Protocol``."""

    TRANSPORT_WS = "graphql-transport-ws"
    LEGACY_WS = "graphql-ws"


class GraphQLError(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of ``errors`` (GraphQL October 2021 §7.1.2), the parts that classify it."""

    message: str = ""
    codes: tuple[str, ...] = ()


class RawEnvelope(msgspec.Struct):
    """Any message whose payload is not, or need not be, understood."""

    type: str
    payload: msgspec.Raw = msgspec.Raw()
    id: msgspec.Raw = msgspec.Raw()

    @property
    def is_of_another(self) -> bool:
        """Whether it names an operation that is not ours; an empty name is none."""
        if bytes(self.id) in _OURS:
            return False
        written_otherwise = try_decode(_string, self.id)
        return written_otherwise is None or written_otherwise not in ("", OPERATION_ID)


class RawPayload(msgspec.Struct):
    """The result of an operation with its parts left as bytes."""

    data: msgspec.Raw = msgspec.Raw()
    errors: msgspec.Raw = msgspec.Raw()


@lru_cache(maxsize=64)  # one for each shape of results, not for each session
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


T = TypeVar("T")

MAX_ERRORS = 20
MAX_TEXT = LONGEST_TEXT
"""Characters of what the other side says that are looked at."""

_LONGEST_STRING = 64 * 1024
"""Bytes of a text of the other side; a longer one says nothing that could be told."""

_LONGEST_LIST = 64 * 1024
"""Bytes of a list that is decoded as a whole; an element takes a multiple of its own bytes."""

BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises: no JSON or another shape; text that is no UTF-8; too many levels."""


class _WireError(msgspec.Struct):
    message: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()
    errors: msgspec.Raw = msgspec.Raw()
    extensions: msgspec.Raw = msgspec.Raw()


class _InBand(msgspec.Struct):
    type: str
    payload: msgspec.Raw = msgspec.Raw()


_list = msgspec.json.Decoder(list[msgspec.Raw])
_string = msgspec.json.Decoder(str)
_error = msgspec.json.Decoder(_WireError)
_in_band = msgspec.json.Decoder(_InBand)
_envelope = msgspec.json.Decoder(RawEnvelope)
_payload = msgspec.json.Decoder(RawPayload)


def try_decode(decoder: msgspec.json.Decoder[T], raw: bytes | msgspec.Raw) -> T | None:
    """Return what ``decoder`` makes of ``raw``; ``None`` where it cannot."""
    try:
        return decoder.decode(raw)
    except BROKEN:
        return None


_HEAD = re.compile(rb"""\s*\{(?:\s*"id"\s*:\s*(?:"[^"\\]*"|\d+|null)\s*,)?\s*"type"\s*:\s*"([^"\\]*)\"""")
_TAIL = re.compile(
    rb"""(?:,\s*"id"\s*:\s*(?:"[^"\\]*"|\d+|null)\s*)?,\s*"type"\s*:\s*"([^"\\]*)"\s*
    (?:,\s*"id"\s*:\s*(?:"[^"\\]*"|\d+|null)\s*)?\}\s*\Z""",
    re.VERBOSE,
)
_LONGEST_TAIL = 300
"""Bytes of a message's end that its type and id take, where they come last."""


def apparent_type(frame: bytes) -> str:
    """
    Return the type that ``frame``, which is no JSON, has by its beginning or else its end.

    Servers put their own parts before or after the payload, which is what they did not write themselves.
    Empty where none is to be seen.
    """
    found = _HEAD.match(frame) or _TAIL.search(frame, max(len(frame) - _LONGEST_TAIL, 0))
    return found[1].decode(errors="replace") if found else ""


def read_errors(raw: bytes | msgspec.Raw) -> tuple[GraphQLError, ...]:
    """
    Return the errors in ``raw``: a list of errors, one error, or a string, as servers really send.

    What cannot be understood becomes one error without a text; an empty list or ``null`` is no error.
    Texts are cut to `MAX_TEXT`, the list to `MAX_ERRORS`.
    """
    if is_nothing(raw):
        return ()
    listed = first_of(raw, MAX_ERRORS)
    return tuple(_read_error(one) for one in ([raw] if listed is None else listed))


def _read_error(raw: bytes | msgspec.Raw) -> GraphQLError:
    """Read each part for itself, so that one of an unexpected type does not hide the others."""
    error = try_decode(_error, raw)
    if error is None:
        return GraphQLError(message=_text(raw))
    message, codes = _text(error.message) or _text(error.error), codes_of(raw, error.extensions)
    nested = first_of(error.errors, 1) if not message else None
    if nested and (inner := try_decode(_error, nested[0])) is not None:
        return GraphQLError(
            message=_text(inner.message), codes=codes_of(nested[0], inner.extensions) or codes
        )
    return GraphQLError(message=message, codes=codes)


def _text(raw: bytes | msgspec.Raw) -> str:
    if len(raw) > _LONGEST_STRING:
        return ""
    return (try_decode(_string, raw) or "")[:MAX_TEXT]


def is_nothing(raw: bytes | msgspec.Raw) -> bool:
    """Return whether ``raw`` is absent or ``null``."""
    return len(raw) <= len(b"null") and bytes(raw) in (b"", b"null")


def first_of(raw: bytes | msgspec.Raw, most: int) -> list[msgspec.Raw] | None:
    """Return the first ``most`` elements of a list, however long it is; ``None`` where it is none."""
    if len(raw) <= _LONGEST_LIST:
        listed = try_decode(_list, raw)
        return None if listed is None else listed[:most]
    if bytes(memoryview(raw)[:1]) != b"[":
        return None
    try:
        return ListSlices(raw).next(most)
    except BROKEN:
        return None


def result_of(frame: bytes) -> RawPayload:
    """Return the result in a whole ``next`` or ``data`` message, its parts left as bytes."""
    envelope = try_decode(_envelope, frame)
    return (try_decode(_payload, envelope.payload) if envelope is not None else None) or RawPayload()


def refusal_in_data(data: bytes | msgspec.Raw) -> tuple[GraphQLError, ...]:
    """Return the errors of a result whose ``data`` is itself ``{"type": "error", "payload": …}``."""
    message = try_decode(_in_band, data)
    if message is None or message.type != "error":
        return ()
    return read_errors(message.payload) or (GraphQLError(),)
