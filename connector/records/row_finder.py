"""
Finding the rows in a subscription's results.

What is wrong with a result may end its session, so this is the reading side's part. A row stays a slice of
the received bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec

from connector.records.fields import ABSENT, BROKEN, Path, is_empty_object, kind_of, level, payload_type
from connector.records.list_slices import ListSlices
from connector.records.malformed import mistake_in

_rows = msgspec.json.Decoder(list[msgspec.Raw])

LARGE = 512 * 1024
"""Bytes of a list that is not decoded as a whole."""

_ID_TEXT = b'"id":"1"'
_ID = _ID_TEXT + b","
_BEFORE_ROWS = len(b'{"payload":{"data":{"a":[{"id":"1"') - 1
"""The first bytes of a message, in which no row can have an id."""


class RowFinder:
    """
    Finds the rows of one subscription at ``path`` below ``data``.

    Ordinary results are decoded as ``payload_type``, which leads right to the rows. ``object_rows``: the
    document selects fields of a row, so that a scalar is none.
    """

    def __init__(self, path: Path, *, object_rows: bool = False) -> None:
        self.payload_type = payload_type(path)
        self._path = path
        self._levels = [level((name,)) for name in path]
        self._read: Callable[[Any], list[msgspec.Raw] | None] = attrgetter(
            ".".join(["data", *["f0"] * len(path)])
        )
        self._object_rows = object_rows
        self._last = msgspec.json.encode(path[-1])
        # A second key takes two signs, its own letters and quotes, and a value.
        self._least = len(_around(path)) + len(self._last) + 2

    def rows_of(self, payload: Any, frame: bytes) -> list[msgspec.Raw] | None:
        """
        Return the rows in ``payload``, an instance of `payload_type` that ``frame`` was decoded to.

        ``None`` where the path leads to nothing, or errors came along, or ``frame`` may have more rows than
        these, under keys that come twice. It has not where there is no room for a second key beside the rows,
        or no such key.
        """
        if payload.errors is not ABSENT:
            return None
        try:
            rows = self._read(payload)
        except AttributeError:  # a parent is null
            return None
        if rows is None:
            return None
        spare = len(frame) - sum(map(len, rows)) - len(rows) - self._least
        if spare > 0 and (spare > len(_ID) or not _has_id(frame)) and self.may_repeat(frame):
            return None
        return rows

    def may_repeat(self, frame: bytes) -> bool:
        """Return whether the last name on the way to the rows may stand in ``frame`` more than once."""
        return frame.count(self._last) != 1 or b"\\u" in frame

    @staticmethod
    def may_be_partial(frame: bytes) -> bool:
        """Return whether ``frame`` may be delivered incrementally."""
        return b'"pending"' in frame or b'"incremental"' in frame

    def find_rows(self, data: bytes | msgspec.Raw) -> list[msgspec.Raw] | ListSlices | None:
        """
        Return the rows in ``data`` of any shape: the elements of a list, or one object or scalar as one row.
        Those of a large list are to be cut from it slice by slice.

        ``None`` where the path leads to nothing or to ``null``, or to what can be no row.
        """
        node = msgspec.Raw(data)
        for one in self._levels:
            try:
                node = one.decode(node).f0
            except BROKEN:
                return None
        if node is ABSENT:
            return None
        match kind_of(node):
            case "null":
                return None
            case "a list":
                return ListSlices(node) if len(node) > LARGE else _rows.decode(node)
            case "an object":
                return None if self._object_rows and is_empty_object(node) else [node]
            case _:
                return None if self._object_rows else [node]

    def mistake_in(self, frame: bytes) -> str | None:
        """Say what is wrong with a whole message from which rows were to be taken; ``None``: nothing."""
        return mistake_in(frame, self._path, object_rows=self._object_rows)


def _has_id(frame: bytes) -> bool:
    """Whether a compact message has the id of our operation, and not inside its rows."""
    return _ID_TEXT in frame[:_BEFORE_ROWS] or frame.endswith(_ID_TEXT + b"}")


def _around(path: Path) -> bytes:
    """What a compact message has beside its rows."""
    inside: Any = []
    for name in reversed(path):
        inside = {name: inside}
    return msgspec.json.encode({"type": "next", "payload": {"data": inside}})
