"""
Lists in JSON that are cut into slices, one after the other.

An element that is decoded takes some sixty bytes beside its own, and two are enough for one to be there. So a
list that is large is never decoded as a whole.
"""

from __future__ import annotations

import re
from typing import Protocol

import msgspec

SLICE = 64 * 1024
"""Bytes that are decoded at a time; an element that is longer is one by itself."""

_list = msgspec.json.Decoder(list[msgspec.Raw])
_one = msgspec.json.Decoder(msgspec.Raw)
_AFTER = re.compile(r"trailing characters \(byte (\d+)\)")
_SPACE = re.compile(rb"[ \t\n\r]*+")
_FIRST = re.compile(rb"\{\s*\"[^\"\\\\]{0,40}\"|.", re.DOTALL)


class Slices(Protocol):
    """Many rows, some at a time, in their order."""

    @property
    def size(self) -> int:
        """Bytes that they take until they are given out."""

    @property
    def is_empty(self) -> bool:
        """Whether there is none any more."""

    def next(self) -> list[msgspec.Raw]:
        """Return the next ones; none at the end."""

    def again(self) -> Slices:
        """Return the same rows from the first one on; they are held once."""


OVERHEAD = 64
"""Bytes that an element takes that is a slice of others."""

AT_A_TIME = 1000


class HeldRows:
    """Rows that were decoded already, from a message of ``size`` bytes."""

    def __init__(self, rows: list[msgspec.Raw], size: int) -> None:
        self.size = size + OVERHEAD * len(rows)
        self._rows = rows
        self._place = 0

    @property
    def is_empty(self) -> bool:
        """See `Slices`."""
        return self._place >= len(self._rows)

    def next(self) -> list[msgspec.Raw]:
        """See `Slices`."""
        begin, self._place = self._place, self._place + AT_A_TIME
        return self._rows[begin : self._place]

    def again(self) -> HeldRows:
        """See `Slices`."""
        return HeldRows(self._rows, 0)


class ListSlices:
    """
    The elements of ``text``, which is a list in valid JSON. They are slices of copies, so that those of one
    slice keep no others alive.
    """

    def __init__(self, text: bytes | msgspec.Raw) -> None:
        self._text = bytes(text).strip()
        self._end = len(self._text) - 1
        self._place = self._skip(1)

    @property
    def size(self) -> int:
        """Bytes that are held."""
        return len(self._text)

    @property
    def is_empty(self) -> bool:
        """Whether there is no element any more."""
        return self._place >= self._end

    def again(self) -> ListSlices:
        """See `Slices`."""
        return ListSlices(self._text)

    def next(self, most: int | None = None) -> list[msgspec.Raw]:
        """Return the elements of about `SLICE` bytes, and at most ``most``; none at the end."""
        if self.is_empty:
            return []
        if most is None and (found := self._guessed()) is not None:
            return found
        elements: list[msgspec.Raw] = []
        until = min(self._place + SLICE, self._end)
        while self._place < until and (most is None or len(elements) < most):
            elements.append(self._next())
        return elements

    def _guessed(self) -> list[msgspec.Raw] | None:
        """
        Try to decode all up to a comma. What stands before it is a list only where the comma is between two
        elements: anywhere else a bracket or a quote is open.
        """
        begin, limit = self._place, self._place + SLICE
        if limit >= self._end:
            found = _list.decode(b"[" + self._text[begin:])
            self._place = self._end
            return found
        first = _FIRST.match(self._text, begin)
        comma = self._text.rfind(b"," + (first[0] if first else b""), begin, limit)
        if comma <= begin:
            return None
        try:
            found = _list.decode(b"[" + self._text[begin:comma] + b"]")
        except msgspec.DecodeError:
            return None
        self._place = self._skip(comma + 1)
        return found

    def _next(self) -> msgspec.Raw:
        """Decode one element: where it ends is what the decoder finds behind it."""
        begin, comma = self._place, self._end
        try:
            _one.decode(memoryview(self._text)[begin : self._end])
        except msgspec.DecodeError as error:
            found = _AFTER.search(str(error))
            if found is None:
                raise
            comma = self._text.rfind(b",", begin, begin + int(found[1]) + 1)
        self._place = self._skip(comma + 1)
        return msgspec.Raw(self._text[begin:comma].rstrip())

    def _skip(self, place: int) -> int:
        space = _SPACE.match(self._text, place)
        return space.end() if space else place
