"""
What the new one of two sessions brought: which rows the old one has not brought, and which wait for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from connector.records.seam.receipt import Receipt, keep_wanted
from connector.records.seam.unmatched import UnmatchedRows

R = TypeVar("R", bound=Receipt)

_PLACES = 2**32
"""A row is noted as the number of its receipt times this, and its place there."""

_ARRIVED_BYTES = 400
"""What is kept of a receipt beside its rows, as long as one of them is not matched."""


class Arrived(Generic[R]):
    """
    A receipt, the ``number`` of those that came before it, and which of its rows are ``wanted``: not matched,
    not dropped. ``left`` says how many.

    ``receipt`` is ``None`` once it went on, with the rows that were wanted then.
    """

    __slots__ = ("left", "number", "receipt", "wanted")

    def __init__(self, receipt: R, number: int, wanted: bytearray) -> None:
        self.receipt: R | None = receipt
        self.number = number
        self.wanted = wanted
        self.left = wanted.count(1)


class NewRows(Generic[R]):
    """The receipts of a new session, while the old one may bring what is in them."""

    def __init__(self) -> None:
        self._unmatched = UnmatchedRows()
        self._arrived: dict[int, Arrived[R]] = {}
        self._held_bytes = 0
        self.received = 0

    @property
    def size(self) -> int:
        """Bytes that are held and remembered."""
        return self._held_bytes + self._unmatched.size + len(self._arrived) * _ARRIVED_BYTES

    @property
    def left(self) -> int:
        """Rows that are not matched."""
        return sum(arrived.left for arrived in self._arrived.values())

    def arrive(self, receipt: R, digests: Sequence[int], wanted: bytearray) -> Arrived[R]:
        """Hold a receipt, and remember those of its rows that are ``wanted``."""
        arrived = Arrived(receipt, self.received, wanted)
        self.received += 1
        base = arrived.number * _PLACES
        for place, digest in enumerate(digests):
            if wanted[place]:
                self._unmatched.add(digest, base + place)
        self._unmatched.added(arrived.left)
        self._arrived[arrived.number] = arrived
        self._held_bytes += receipt.size
        return arrived

    def match(self, digest: int) -> Arrived[R] | None:
        """
        Match a row of the old session with the first that has the same ``digest``; return whose that was.
        """
        while (note := self._unmatched.take_first(digest)) is not None:
            number, place = divmod(note, _PLACES)
            arrived = self._arrived.get(number)
            # Of those that were dropped none is left that it could be matched with.
            if arrived is not None and arrived.wanted[place]:
                arrived.wanted[place] = 0
                arrived.left -= 1
                return arrived
        return None

    def let_go(self, arrived: Arrived[R]) -> R:
        """Return what is held of ``arrived``, with the rows that are wanted of it."""
        receipt = arrived.receipt
        assert receipt is not None
        arrived.receipt = None
        self._held_bytes -= receipt.size
        if 0 in arrived.wanted:
            keep_wanted(receipt, arrived.wanted)
        if not arrived.left:
            del self._arrived[arrived.number]
        return receipt

    def release(self) -> list[R]:
        """Return what is held of all, in order."""
        return [self.let_go(arrived) for arrived in self._held()]

    def drop(self, last: int) -> tuple[list[R], int]:
        """
        Drop the rows that are held in receipts up to number ``last``.

        Return the receipts, which have no rows any more, and how many rows they had.
        """
        receipts, rows = [], 0
        for arrived in self._held():
            if arrived.number > last:
                break
            rows += arrived.left
            arrived.wanted = bytearray(len(arrived.wanted))
            arrived.left = 0
            receipts.append(self.let_go(arrived))
        return receipts, rows

    def forget(self) -> int:
        """Remember none of those that are not held; return how many rows were remembered."""
        forgotten = len(self._unmatched)
        self._unmatched = UnmatchedRows()
        self._arrived = {arrived.number: arrived for arrived in self._held()}
        return forgotten

    def _held(self) -> list[Arrived[R]]:
        return [arrived for arrived in self._arrived.values() if arrived.receipt is not None]
