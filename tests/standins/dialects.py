"""The envelopes of the two subprotocols, as a server writes them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tests.standins.behaviour import LEGACY, MODERN


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """What differs between the subprotocols: the names of messages."""

    name: str
    result: str
    start: str
    stop: str

    def message(self, kind: str, *, identifier: str | None = None, payload: object = None) -> bytes:
        """A message whose payload is a Python value; ``None`` leaves a part out."""
        parts: dict[str, object] = {"type": kind}
        if identifier is not None:
            parts["id"] = identifier
        if payload is not None:
            parts["payload"] = payload
        return json.dumps(parts, separators=(",", ":"), ensure_ascii=False).encode()


MODERN_DIALECT = Dialect(name=MODERN, result="next", start="subscribe", stop="complete")
LEGACY_DIALECT = Dialect(name=LEGACY, result="data", start="start", stop="stop")
DIALECTS = {dialect.name: dialect for dialect in (MODERN_DIALECT, LEGACY_DIALECT)}


def wrap(kind: str, identifier: str, result: bytes, *, payload_first: bool, spaced: bool) -> bytes:
    """A result message round a payload that is JSON already: see ``Behaviour`` for the two switches."""
    name = b'"type":"%b"' % kind.encode()
    operation = b'"id":%b' % json.dumps(identifier).encode()
    payload = b'"payload":%b' % result
    parts = [payload, operation, name] if payload_first else [operation, name, payload]
    if spaced:
        return b" {\n  " + b" ,\r\n\t".join(part.replace(b":", b" : ", 1) for part in parts) + b" }\n"
    return b"{" + b",".join(parts) + b"}"
