"""What becomes of the rows of one received frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import anyio

from connector.errors import DataError


class Receipt:
    """
    Counts down as rows of one frame are acknowledged or given up.

    ``size`` is what the frame and its rows take in memory, ``received_at`` its time of arrival in seconds
    of `time.monotonic`, ``event_ms`` the event time of its last row (``None``: unknown). ``errors`` holds
    why rows were given up.
    """

    __slots__ = ("_ledger", "errors", "event_ms", "pending", "received_at", "rows", "size")

    def __init__(self, ledger: Ledger, *, rows: int, size: int, received_at: float) -> None:
        self._ledger = ledger
        self.rows = rows
        self.pending = rows
        self.size = size
        self.received_at = received_at
        self.event_ms: int | None = None
        self.errors: list[DataError] = []

    def acknowledged(self, rows: int) -> None:
        """The brokers have ``rows`` more of them."""
        self.pending -= rows
        if self.pending == 0:
            self._ledger.settle()

    def given_up(self, error: DataError) -> None:
        """One row cannot be published."""
        self.errors.append(error)
        self._ledger.failed(error)
        self.acknowledged(1)


class Ledger:
    """
    The receipts of one subscription, in the order received.

    ``settled`` is called with each receipt once it and all before it are through; ``failed`` with every
    row that is given up, at once.
    """

    def __init__(self, settled: Callable[[Receipt], None], failed: Callable[[DataError], None]) -> None:
        self._settled = settled
        self.failed = failed
        self._open: deque[Receipt] = deque()
        self._waiting: anyio.Event | None = None
        self.held = 0

    def open(self, *, rows: int, size: int, received_at: float) -> Receipt:
        """Enter a frame of ``rows`` rows that takes ``size`` bytes."""
        receipt = Receipt(self, rows=rows, size=size, received_at=received_at)
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
