"""The bytes of a record's key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from connector.records.fields import Fields, Getter, Path

KeyOf = Callable[[Any], bytes | None]
"""Returns the key of a decoded item; ``None`` where all of its fields are null or absent."""


def compile_key(fields: Fields, paths: Sequence[Path]) -> KeyOf:
    """
    Return the function that makes a key.

    One path: a string's UTF-8 without its quotes, anything else as on the wire. Several paths: a compact
    JSON array of the wire values, ``null`` for those that are missing. None at all: no key.
    """
    getters = [fields.getter(path) for path in paths]
    if not getters:
        return lambda item: None
    return _single(getters[0]) if len(getters) == 1 else _array(getters)


def _single(get: Getter) -> KeyOf:
    def key(item: Any) -> bytes | None:
        raw = get(item)
        if not raw:
            return None
        if raw[0] == 34:  # a quote
            if b"\\" in raw:
                return msgspec.json.decode(raw, type=str).encode()
            return raw[1:-1]
        return _compact(raw)

    return key


def _array(getters: Sequence[Getter]) -> KeyOf:
    def key(item: Any) -> bytes | None:
        values = [get(item) for get in getters]
        if not any(values):
            return None
        return b"[%s]" % b",".join([_compact(value) or b"null" for value in values])

    return key


def _compact(raw: bytes) -> bytes:
    # A scalar is compact as it is; an object (a custom scalar) may carry white space.
    return msgspec.json.format(raw, indent=-1) if raw[:1] in (b"{", b"[") else raw
