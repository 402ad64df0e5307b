"""What a peer may send that it should not: JSON of any shape, messages in any order, bytes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

from hypothesis import strategies as st

SECRET = 'ory_at_Zq+b/c=d%e"f'
"""What must not be told, wherever it stands in what a peer sends."""

EXAMPLES = 1000 if os.environ.get("CI") == "true" else 100
"""Examples of each kind of input; the gate tries more than a newcomer waits for."""

ANY_TEXT = st.text(st.characters() | st.characters(categories=["Cs"]), max_size=20)
PHRASES = st.sampled_from(
    ["Unauthorized", f"bad token {SECRET}", SECRET, "points limit exceeded", "Too Many Sessions", "<b>", ""]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | ANY_TEXT
    | PHRASES
)
NAMES = st.text(max_size=4) | st.sampled_from(
    ["type", "payload", "data", "errors", "message", "extensions", "code", "id", "error", "a", "b", "k", "t"]
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)

KINDS = st.sampled_from(
    [
        *("connection_ack", "connection_error", "connection_init", "connection_keep_alive"),
        *("next", "data", "error", "complete", "subscribe", "start", "stop", "ka", "ping", "pong"),
        *("something", ""),
    ]
)


def written(value: object) -> bytes:
    """Return ``value`` as JSON; halves of surrogate pairs are escaped, as such texts come."""
    return json.dumps(value).encode()


def _spoilt(frame: bytes, how: tuple[int, int, bytes]) -> bytes:
    at, length, instead = how
    at %= len(frame) + 1
    return frame[:at] + instead + frame[at + length :]


def spoilt(frames: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Return ``frames`` with a piece of them cut out, overwritten or put in."""
    changes = st.tuples(st.integers(0, 10**6), st.integers(0, 8), st.binary(max_size=4))
    spoil: Callable[[bytes, tuple[int, int, bytes]], bytes] = _spoilt
    return st.builds(spoil, frames, changes)


ERRORS = st.fixed_dictionaries(
    {},
    optional={
        "message": PHRASES | JSON,
        "extensions": st.fixed_dictionaries({"code": PHRASES | JSON}) | JSON,
    },
)
"""Errors as GraphQL servers write them, more or less."""


def messages(payloads: st.SearchStrategy[object]) -> st.SearchStrategy[bytes]:
    """Return whole messages of any type with these payloads, or none."""
    parts = st.fixed_dictionaries(
        {"type": KINDS},
        optional={"id": JSON, "payload": payloads | ERRORS | st.lists(ERRORS, max_size=2) | JSON},
    )
    return parts.map(written)


def frames(payloads: st.SearchStrategy[object]) -> st.SearchStrategy[bytes]:
    """Return messages, spoilt messages, JSON that is no message, and bytes."""
    whole = messages(payloads)
    return whole | spoilt(whole) | JSON.map(written) | st.binary(max_size=40)
