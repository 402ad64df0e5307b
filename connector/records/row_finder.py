"""
Finding the rows in a subscription's results.

What is wrong with a result may end its session, so this is the reading side's part. A row stays a slice of
the received bytes.
"""

from __future__ import annotations

from typing import Any

import msgspec

from connector.records.fields import BROKEN, Path, payload_type
from connector.records.list_slices import ListSlices

_rows = msgspec.json.Decoder(list[msgspec.Raw])
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])

LARGE = 512 * 1024
"""Bytes of a list that is not decoded as a whole."""


class RowFinder:
    """
    Finds the rows of one subscription at ``path`` below ``data``.

    Ordinary results are decoded as ``payload_type``, which leads right to the rows.
    """

    def __init__(self, path: Path) -> None:
        self.payload_type = payload_type(path)
        self._path = path
        self._depth = range(len(path))

    def rows_of(self, payload: Any) -> list[msgspec.Raw] | None:
        """
        Return the rows in an instance of `payload_type`.

        ``None`` where the path leads to nothing, or errors came along.
        """
        if len(payload.errors):
            return None
        node = payload.data
        for _ in self._depth:
            if node is None:
                return None
            node = node.f0
        rows: list[msgspec.Raw] | None = node
        return rows

    def find_rows(self, data: bytes | msgspec.Raw) -> list[msgspec.Raw] | ListSlices | None:
        """
        Return the rows in ``data`` of any shape: the elements of a list, or one object or scalar as one row.
        Those of a large list are to be cut from it slice by slice.

        ``None`` where the path leads to nothing or to ``null``.
        """
        node = msgspec.Raw(data)
        for name in self._path:
            try:
                node = _object.decode(node)[name]
            except (*BROKEN, KeyError):
                return None
        if len(node) > LARGE:
            return ListSlices(node) if bytes(memoryview(node)[:1]) == b"[" else [node]
        text = bytes(node).strip()
        if text == b"null":
            return None
        return _rows.decode(node) if text[:1] == b"[" else [node]

    def is_malformed(self, data: bytes | msgspec.Raw) -> bool:
        """
        Return whether something stands on the way to the rows that no server may put there.

        That is neither an object nor ``null``; a name that is missing is left to conditions in the document.
        """
        node = msgspec.Raw(data)
        for name in self._path:
            if bytes(node).strip() == b"null":
                return False
            try:
                below = _object.decode(node)
            except BROKEN:
                return True
            if name not in below:
                return False
            node = below[name]
        return False
