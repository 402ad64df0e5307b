"""What came at one time by one source, as far as the seam needs to know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, compress, islice, repeat
from typing import Protocol

import msgspec

from connector.records.list_slices import Slices

MOST_COMPARED = 50_000
"""Rows of one receipt that are compared with others; more in one go would hold everybody else up."""


class Receipt(Protocol):
    """
    ``rows`` that came at ``received_at`` (seconds) and take ``size`` bytes; where there are ``slices``, the
    rows are many and still in them.
    """

    rows: list[msgspec.Raw]
    received_at: float
    size: int
    slices: Slices | None


class RowSource:
    """
    Who brings rows: a session, a query. ``number`` is its own.

    Copies of a row are counted by ``stream``: a session that is joined to another one goes on with the stream
    of that, since no row of both is left twice. ``last_row_at`` is when it last brought rows, in seconds;
    ``None``: it brought none.
    """

    __slots__ = ("last_row_at", "number", "stream")

    def __init__(self, number: int) -> None:
        self.last_row_at: float | None = None
        self.number = number
        self.stream = number


class WantedSlices:
    """
    What is left of ``slices`` (see `Slices`) where only the rows marked in ``wanted`` are; those behind its
    end all are.
    """

    def __init__(self, slices: Slices, wanted: Sequence[int]) -> None:
        self._slices = slices
        self._wanted = chain(wanted, repeat(1))

    @property
    def size(self) -> int:
        """See `Slices`."""
        return self._slices.size

    @property
    def is_empty(self) -> bool:
        """See `Slices`."""
        return self._slices.is_empty

    def next(self) -> list[msgspec.Raw]:
        """See `Slices`; there may be none before the end, too."""
        rows = self._slices.next()
        return list(compress(rows, islice(self._wanted, len(rows))))

    def again(self) -> Slices:
        """See `Slices`; rows that are not wanted are there again."""
        return self._slices.again()


def compared_rows(receipt: Receipt) -> list[msgspec.Raw]:
    """Return the rows of ``receipt`` in their order, at most about `MOST_COMPARED`; they stay in it."""
    if receipt.slices is None:
        return receipt.rows
    rows: list[msgspec.Raw] = []
    for some in _parts(receipt.slices.again()):
        rows += some
        if len(rows) >= MOST_COMPARED:
            break
    return rows


def keep_wanted(receipt: Receipt, wanted: Sequence[int]) -> None:
    """Leave in ``receipt`` only the rows that are marked in ``wanted``."""
    if receipt.slices is None:
        receipt.rows = list(compress(receipt.rows, wanted))
    else:
        # What becomes of the rows later is no matter any more.
        receipt.slices = WantedSlices(receipt.slices, bytes(wanted))


def _parts(slices: Slices) -> Iterator[list[msgspec.Raw]]:
    while not slices.is_empty:
        yield slices.next()
