"""
What is wrong with a result from which no rows, or not all of them, could be taken.

Only odd results come here: this reads all of a message again, key by key.
"""

from __future__ import annotations

from typing import Any

import msgspec

from connector.records.fields import BROKEN, Path, is_empty_object, kind_of

INCREMENTAL = ("incremental", "pending", "completed", "items", "path", "label", "hasNext")
"""Names of incremental delivery (``@defer``, ``@stream``) beside ``data`` or in its place."""

_ORDINARY = ("data", "errors", "extensions", *INCREMENTAL)

_NESTED = ("an object", "a list")

Pairs = list[tuple[str, msgspec.Raw]]


MOST_KEYS = 4096
"""Keys of one object that are looked at; each takes some hundred bytes. A key that is long is several."""

_LONG = 64


class _TooManyKeys(Exception):
    """There are more keys than `MOST_KEYS` in the object at ``place``."""

    def __init__(self, place: str) -> None:
        super().__init__(f"{place} has too many keys, or too long ones, to be looked through")


class _Key(str):
    """A key that equals no other, so that a mapping keeps what comes twice."""

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


def mistake_in(frame: bytes, path: Path, *, object_rows: bool) -> str | None:
    """
    Say what is wrong with ``frame``, a whole message whose rows should be at ``path`` below ``data``.

    ``object_rows``: the document selects fields of a row. ``None``: nothing is wrong. It may have no rows all
    the same: ``null`` is legal, and conditions in the document may leave a name out.
    """
    try:
        return _mistake_in(frame, path, object_rows=object_rows)
    except _TooManyKeys as error:
        return str(error)


def _mistake_in(frame: bytes, path: Path, *, object_rows: bool) -> str | None:
    outside = _pairs_of(frame, "the message") or []
    payload = _pairs_of(_value(outside, "payload"), "the result")
    if payload is None:
        return None
    said = _twice(outside, ("payload",), "the message") or _twice(payload, ("data", "errors"), "the result")
    if said is not None:
        return said
    names = {name for name, _ in payload}
    if names & {"incremental", "pending", "completed"}:
        return _incremental(names)
    if "data" not in names:
        return _without_data(names, has_errors=not _says_nothing(_value(payload, "errors")))
    data = _value(payload, "data")
    if names & {"path", "label", "hasNext"} and _is_missing(data, path):
        return _incremental(names)
    return _below(data, path, object_rows=object_rows)


def _below(data: msgspec.Raw, path: Path, *, object_rows: bool) -> str | None:
    node, place = data, "data"
    for name in path:
        if kind_of(node) == "null":
            return None
        pairs = _pairs_of(node, place)
        if pairs is None:
            return f"{place} is {kind_of(node)}, where an object with {name} should be"
        if (said := _twice(pairs, (name,), place)) is not None:
            return said
        if name not in (key for key, _ in pairs):
            return _other_than(name, pairs, place, is_root=node is data)
        node, place = _value(pairs, name), f"{place}.{name}"
    return _no_row(node, place) if object_rows else None


def _no_row(node: msgspec.Raw, place: str) -> str | None:
    """What stands at the place of the rows and is neither ``null``, nor a list, nor one row."""
    kind = kind_of(node)
    if kind == "an object" and is_empty_object(node):
        kind = "an empty object"
    if kind in (*_NESTED, "null"):
        return None
    return f"{place} is {kind}, where rows should be"


def _other_than(name: str, pairs: Pairs, place: str, *, is_root: bool) -> str | None:
    """
    Conditions may leave ``name`` out, but put no other list or object there, nor one that is spelled alike.
    At the root are no conditions, and no other field.
    """
    for other, value in pairs:
        kind = kind_of(value)
        is_odd = kind in _NESTED or is_root or other.casefold() == name.casefold()
        if is_odd and kind != "null" and not other.startswith("__"):
            return f"{place} has {other[:60]} and no {name}"
    return None


def _without_data(names: set[str], *, has_errors: bool) -> str | None:
    if names & {"items", "path"}:
        return _incremental(names)
    strange = sorted(name for name in names if name not in _ORDINARY)
    if not strange or has_errors:
        return None
    return f"the result has {strange[0][:60]}, and neither data nor errors"


def _says_nothing(errors: msgspec.Raw) -> bool:
    """Whether these are no errors, as ``null`` and an empty list are none."""
    return kind_of(errors) == "null" or (len(errors) <= 64 and not bytes(errors).strip(b"[] \t\r\n"))


def _incremental(names: set[str]) -> str:
    which = next(name for name in INCREMENTAL if name in names)
    return (
        f"the result is delivered incrementally (it has {which}): take @defer and @stream out of the document"
    )


def _twice(pairs: Pairs, names: tuple[str, ...], place: str) -> str | None:
    """What is lost of a JSON object, for whoever reads it keeps the last of equal keys."""
    for name in names:
        if (count := sum(key == name for key, _ in pairs)) > 1:
            return f"{place} has the key {name} {count} times, and all but one would be lost"
    return None


def _is_missing(data: msgspec.Raw, path: Path) -> bool:
    node = data
    for name in path:
        pairs = _pairs_of(node, "the result") or []
        if name not in (key for key, _ in pairs):
            return True
        node = _value(pairs, name)
    return False


def _pairs_of(raw: bytes | msgspec.Raw, place: str) -> Pairs | None:
    """
    All keys of the object at ``place`` in their order, with those that come twice; ``None``: it is none.

    Raises:
        _TooManyKeys: Counted while they are decoded, so that what follows is not.
    """
    left = MOST_KEYS

    def as_key(kind: type[_Key], text: Any) -> _Key:
        nonlocal left
        left -= 1 + len(text) // _LONG
        if left < 0:
            raise _TooManyKeys(place)
        return kind(text)

    decoder = msgspec.json.Decoder(dict[_Key, msgspec.Raw], dec_hook=as_key)
    try:
        return [(str(key), value) for key, value in decoder.decode(raw).items()]
    except BROKEN:
        return None


def _value(pairs: Pairs, name: str) -> msgspec.Raw:
    """The last of that name, as decoders have it."""
    return next((value for key, value in reversed(pairs) if key == name), msgspec.Raw(b"null"))
