"""
Structs generated from paths, so that msgspec decodes just the fields that are asked for.

A path is a tuple of response names (aliases included). Leaves stay slices of the received bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec

Path = tuple[str, ...]
ABSENT = msgspec.Raw()
"""What a leaf holds that was not in the row."""

REMEMBERED = 64
"""Types that subscriptions with the same paths share; each takes some kilobytes, and time to make."""

BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises: no JSON or another shape; text that is no UTF-8; too many levels."""

_KINDS = {
    b"{": "an object",
    b"[": "a list",
    b'"': "a text",
    b"n": "null",
    b"t": "true",
    b"f": "false",
    b"": "null",
}

Getter = Callable[[Any], bytes]
"""Returns the bytes of one field of a decoded item: empty where it or a parent is absent or null."""


class Fields:
    """
    The fields of a row that the connector reads.

    ``item_type`` is a struct with every path's leaf as `msgspec.Raw`; ``getter(path)`` reads one of them.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = tuple(paths)
        self._tree = _tree(paths)
        self.item_type: type = _row_type(self._paths)
        self._decode: Callable[[msgspec.Raw], Any] = msgspec.json.Decoder(self.item_type).decode

    def read(self, row: msgspec.Raw) -> tuple[Any, Path]:
        """
        Return the item of any row at all, what fits, and where the first list in it stands in the way of a
        path; empty where there is none, or the row itself is one.
        """
        try:
            return self._decode(row), ()
        except BROKEN:
            lists: list[Path] = []
            return _fitting(self.item_type, row, (), lists), next(iter(lists), ())

    def with_kinds(self, texts: Iterable[Path], integers: Iterable[Path] = ()) -> type:
        """
        Return the same struct with the leaves at ``texts`` as ``str`` and those at ``integers`` as ``int``,
        which must be there.
        """
        kinds: list[tuple[Path, type]] = [(path, str) for path in texts]
        return _row_type(self._paths, frozenset([*kinds, *((path, int) for path in integers)]))

    def place(self, path: Path) -> str:
        """Return the attributes that lead from an item to ``path``, with dots between them."""
        names: list[str] = []
        node = self._tree
        for name in path:
            names.append(f"f{list(node).index(name)}")
            node = node[name]
        return ".".join(names)

    def getter(self, path: Path) -> Getter:
        """Return a function that reads ``path`` from an item."""
        read = attrgetter(self.place(path))

        def get(item: Any) -> bytes:
            try:
                raw = bytes(read(item))
            except AttributeError:  # a parent is null
                return b""
            return b"" if raw == b"null" else raw

        return get


def _fitting(kind: type, raw: msgspec.Raw, above: Path, lists: list[Path]) -> Any:
    """Build ``kind`` from an object that has other types than expected: what fits, the rest absent."""
    item = kind()
    infos = msgspec.structs.fields(kind)
    try:
        found = level(tuple(info.encode_name for info in infos)).decode(raw)
    except BROKEN:
        if above and kind_of(raw) == "a list":
            lists.append(above)
        return item
    for index, info in enumerate(infos):
        below: msgspec.Raw = getattr(found, f"f{index}")
        if below is ABSENT:
            continue
        if info.type is msgspec.Raw:
            setattr(item, info.name, below)
        else:
            nested = next(one for one in info.type.__args__ if one is not type(None))
            setattr(item, info.name, _fitting(nested, below, (*above, info.encode_name), lists))
    return item


@lru_cache(maxsize=REMEMBERED * 4)
def level(names: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    """
    Return what decodes of one object ``names``, as ``f0`` and so on, `ABSENT` where they are not in it. Other
    keys are skipped: a mapping would take a multiple of their bytes.
    """
    fields: list[Any] = [(f"f{index}", msgspec.Raw, ABSENT) for index in range(len(names))]
    rename = {f"f{index}": name for index, name in enumerate(names)}
    return msgspec.json.Decoder(msgspec.defstruct("Level", fields, rename=rename, gc=False))


def _tree(paths: Sequence[Path]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path in paths:
        node = tree
        for name in path:
            node = node.setdefault(name, {})
    return tree


@lru_cache(maxsize=REMEMBERED)
def _row_type(paths: tuple[Path, ...], kinds: frozenset[tuple[Path, type]] = frozenset()) -> type:
    return _struct("Row", _tree(paths), (), dict(kinds))


def _struct(name: str, tree: dict[str, Any], above: Path, kinds: Mapping[Path, type]) -> type:
    # Response names may be Python keywords or begin with underscores, so fields are numbered and renamed.
    fields: list[Any] = []
    for index, (key, below) in enumerate(tree.items()):
        field, path = f"f{index}", (*above, key)
        if below:
            fields.append((field, _struct(f"{name}{index}", below, path, kinds) | None, None))
        else:
            fields.append((field, kinds[path]) if path in kinds else (field, msgspec.Raw, ABSENT))
    names = {f"f{index}": key for index, key in enumerate(tree)}
    # Fields without a default may come after some that have one only by name.
    return msgspec.defstruct(name, fields, rename=names, gc=False, kw_only=True)


@lru_cache(maxsize=REMEMBERED)
def payload_type(rows: Path) -> type:
    """
    Return the struct of a result whose list of rows is at ``rows`` below ``data``.

    Its ``data`` holds nested structs down to ``list[Raw]``; its ``errors`` are left as bytes. What is
    delivered incrementally does not fit.
    """
    kind: Any = list[msgspec.Raw]
    for depth, name in enumerate(reversed(rows)):
        kind = msgspec.defstruct(f"Data{depth}", [("f0", kind | None, None)], rename={"f0": name}, gc=False)
    fields: list[Any] = [("data", kind | None, None), ("errors", msgspec.Raw, ABSENT)]
    fields += [("pending", None, None), ("incremental", None, None)]
    return msgspec.defstruct("Payload", fields, gc=False)


def text_of(raw: bytes) -> str:
    """
    Return a field's text: a string without its quotes, anything else as it was on the wire.

    Raises:
        msgspec.DecodeError: A string with a broken escape.
        UnicodeDecodeError: Bytes that are no UTF-8.
    """
    if raw[:1] == b'"':
        return msgspec.json.decode(raw, type=str)
    return raw.decode()


def is_integer(raw: bytes) -> bool:
    """Return whether a field's bytes are an integer."""
    return raw.removeprefix(b"-").isdigit()


def kind_of(raw: bytes | msgspec.Raw) -> str:
    """Return what a JSON value is, in words."""
    # Not of a copy of all of it, which may be large.
    start = bytes(memoryview(raw)[:64]).lstrip() or bytes(raw).lstrip()
    return _KINDS.get(start[:1], "a number")


def is_empty_object(raw: msgspec.Raw) -> bool:
    """Return whether ``raw``, which is an object, has no key."""
    return len(raw) <= 64 and not bytes(raw).strip(b"{} \t\r\n")
