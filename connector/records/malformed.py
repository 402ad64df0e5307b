"""
What is wrong with a result from which no rows, or not all of them, could be taken.

Only odd results come here: this reads all of a message again, key by key.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from connector.records.fields import BROKEN, Path, kind_of

INCREMENTAL = ("incremental", "pending", "completed", "items", "path", "label", "hasNext")
"""Names of incremental delivery (``@defer``, ``@stream``) beside ``data`` or in its place."""

_ORDINARY = ("data", "errors", "extensions", *INCREMENTAL)

_NESTED = ("an object", "a list")

Pairs = list[tuple[str, msgspec.Raw]]


class _Key(str):
    """A key that equals no other, so that a mapping keeps what comes twice."""

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


def _as_key(kind: type[_Key], text: Any) -> _Key:
    return kind(text)


_pairs = msgspec.json.Decoder(dict[_Key, msgspec.Raw], dec_hook=_as_key)


def mistake_in(frame: bytes, path: Path, *, object_rows: bool) -> str | None:
    """
    Say what is wrong with ``frame``, a whole message whose rows should be at ``path`` below ``data``.

    ``object_rows``: the document selects fields of a row. ``None``: nothing is wrong. It may have no rows all
    the same: ``null`` is legal, and conditions in the document may leave a name out.
    """
    outside = _pairs_of(frame) or []
    payload = _pairs_of(_value(outside, "payload"))
    if payload is None:
        return None
    said = _twice(outside, ("payload",), "the message") or _twice(payload, ("data", "errors"), "the result")
    if said is not None:
        return said
    names = {name for name, _ in payload}
    if names & {"incremental", "pending"}:
        return _incremental(names)
    if "data" not in names:
        return _without_data(names)
    data = _value(payload, "data")
    if names & {"path", "hasNext"} and _is_missing(data, path):
        return _incremental(names)
    return _below(data, path, object_rows=object_rows)


def _below(data: msgspec.Raw, path: Path, *, object_rows: bool) -> str | None:
    node, place = data, "data"
    for name in path:
        if kind_of(node) == "null":
            return None
        pairs = _pairs_of(node)
        if pairs is None:
            return f"{place} is {kind_of(node)}, where an object with {name} should be"
        if (said := _twice(pairs, (name,), place)) is not None:
            return said
        if name not in (key for key, _ in pairs):
            return _other_than(name, pairs, place)
        node, place = _value(pairs, name), f"{place}.{name}"
    return _no_row(node, place) if object_rows else None


def _no_row(node: msgspec.Raw, place: str) -> str | None:
    """What stands at the place of the rows and is neither ``null``, nor a list, nor one row."""
    kind = kind_of(node)
    if kind == "an object" and not _pairs_of(node):
        kind = "an empty object"
    if kind in (*_NESTED, "null"):
        return None
    return f"{place} is {kind}, where rows should be"


def _other_than(name: str, pairs: Pairs, place: str) -> str | None:
    """Conditions may leave ``name`` out, but put no other list or object there."""
    for other, value in pairs:
        if kind_of(value) in _NESTED:
            return f"{place} has {other[:60]} and no {name}"
    return None


def _without_data(names: Collection[str]) -> str | None:
    if "items" in names or "path" in names:
        return _incremental(names)
    strange = sorted(name for name in names if name not in _ORDINARY)
    if not strange or "errors" in names:
        return None
    return f"the result has {strange[0][:60]}, and neither data nor errors"


def _incremental(names: Collection[str]) -> str:
    which = next(name for name in INCREMENTAL if name in names)
    return (
        f"the result is delivered incrementally (it has {which}): take @defer and @stream out of the document"
    )


def _twice(pairs: Pairs, names: Collection[str], place: str) -> str | None:
    """What is lost of a JSON object, for whoever reads it keeps the last of equal keys."""
    for name in names:
        if (count := sum(key == name for key, _ in pairs)) > 1:
            return f"{place} has the key {name} {count} times, and all but one would be lost"
    return None


def _is_missing(data: msgspec.Raw, path: Path) -> bool:
    node = data
    for name in path:
        pairs = _pairs_of(node) or []
        if name not in (key for key, _ in pairs):
            return True
        node = _value(pairs, name)
    return False


def _pairs_of(raw: bytes | msgspec.Raw) -> Pairs | None:
    """All keys of an object in their order, with those that come twice; ``None``: it is none."""
    try:
        return [(str(key), value) for key, value in _pairs.decode(raw).items()]
    except BROKEN:
        return None


def _value(pairs: Pairs, name: str) -> msgspec.Raw:
    """The last of that name, as decoders have it."""
    return next((value for key, value in reversed(pairs) if key == name), msgspec.Raw(b"null"))
