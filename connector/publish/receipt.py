"""What becomes of the rows of one received frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Protocol

import anyio

from connector.errors import DataError
from connector.records.bad import BadRecord


class Slip(Protocol):
    """What a row in a lane is accounted to: its frame's `Receipt`, or whoever stands in for it."""

    def acknowledged(self, rows: int) -> None:
        """The brokers have ``rows`` more of them."""

    def given_up(self, record: BadRecord) -> None:
        """One row cannot be published."""


class Receipt:
    """
    Counts down as rows of one frame are acknowledged or given up.

    ``first`` is the number of its first row among all of the subscription, and ``values`` are its rows.
    ``size`` is what the frame and its rows take in memory, ``received_at`` its time of arrival in seconds
    of `time.monotonic`, ``event_ms`` the event time of its last row (``None``: unknown). ``errors`` holds
    why rows were given up.
    """

    __slots__ = (
        "_ledger",
        "_looked_to",
        "errors",
        "event_ms",
        "first",
        "pending",
        "received_at",
        "rows",
        "size",
        "values",
    )

    def __init__(
        self,
        ledger: Ledger,
        *,
        first: int,
        rows: int,
        size: int,
        received_at: float,
        values: Sequence[object] = (),
    ) -> None:
        self._ledger = ledger
        self.first = first
        self.rows = rows
        self.values = values
        self.pending = rows
        self.size = size
        self.received_at = received_at
        self.event_ms: int | None = None
        self.errors: list[DataError] = []
        self._looked_to = 0

    def acknowledged(self, rows: int) -> None:
        """The brokers have ``rows`` more of them."""
        self.pending -= rows
        if self.pending == 0:
            self._ledger.settle()

    def given_up(self, record: BadRecord) -> None:
        """One row cannot be published; it is through, unless somebody else takes care of it."""
        self.errors.append(record.error)
        if not self._ledger.bad(record, self):
            self.acknowledged(1)

    def number(self, value: object) -> int:
        """
        Return the number of the row that ``value`` is, counted from 0 over the subscription's life.

        It is looked for, so that good rows need not carry it; bad ones mostly come in their order.
        """
        values, start = self.values, self._looked_to
        for index in chain(range(start, len(values)), range(start)):
            if values[index] is value:
                self._looked_to = index + 1
                return self.first + index
        return self.first + max(self.rows - 1, 0)

    def grow(self, size: int) -> None:
        """Count ``size`` bytes more until it is through."""
        self.size += size
        self._ledger.held += size


class Ledger:
    """
    The receipts of one subscription, in the order received.

    ``settled`` is called with each receipt once it and all before it are through; ``bad`` with every row
    that is given up, at once: it returns whether it sees to the row's acknowledgement.
    """

    def __init__(self, settled: Callable[[Receipt], None], bad: Callable[[BadRecord, Receipt], bool]) -> None:
        self._settled = settled
        self.bad = bad
        self._open: deque[Receipt] = deque()
        self._waiting: anyio.Event | None = None
        self.held = 0
        self.rows = 0

    def open(self, *, rows: int, size: int, received_at: float, values: Sequence[object] = ()) -> Receipt:
        """Enter a frame of ``rows`` rows, which are ``values``, that takes ``size`` bytes."""
        receipt = Receipt(self, first=self.rows, rows=rows, size=size, received_at=received_at, values=values)
        self.rows += rows
        self._open.append(receipt)
        self.held += size
        if rows == 0:
            self.settle()
        return receipt

    def settle(self) -> None:
        """Pass on, from the front, what is through."""
        while self._open and self._open[0].pending == 0:
            receipt = self._open.popleft()
            self.held -= receipt.size
            self._settled(receipt)
        if self._waiting is not None:
            self._waiting.set()
            self._waiting = None

    async def below(self, size: int) -> None:
        """Return once less than ``size`` bytes are open, or nothing is."""
        while self.held >= size and self._open:
            self._waiting = self._waiting or anyio.Event()
            await self._waiting.wait()

    def __len__(self) -> int:
        return len(self._open)
