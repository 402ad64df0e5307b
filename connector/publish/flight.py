"""Rows on their way to the brokers, in one batch."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from itertools import islice

from connector.kafka import Batch
from connector.publish.entry import Entry


@dataclass(slots=True)
class Flight:
    """``entries`` are in ``batch``; they left at ``started_at`` (`anyio.current_time`), or not yet."""

    batch: Batch
    entries: list[Entry]
    started_at: float | None = None

    def departs(self) -> None:
        """It is about to be sent."""
        self.started_at = asyncio.get_running_loop().time()


def acknowledge(entries: list[Entry]) -> None:
    """Tell the receipts of ``entries``, once for each run of rows; then settle, once for each ledger."""
    ledgers = set()
    count, last = 0, entries[0][4]
    for entry in entries:
        slip = entry[4]
        if slip is not last:
            ledgers.add(last.landed(count))
            count, last = 0, slip
        count += 1
    ledgers.add(last.landed(count))
    for ledger in ledgers:
        if ledger is not None:
            ledger.settle()


def fill(batch: Batch, rows: deque[Entry], *, most: int) -> Flight:
    """Move rows into ``batch``: at least one, and at most ``most``."""
    count = batch.extend(rows if most >= len(rows) else islice(rows, most))
    take = rows.popleft
    return Flight(batch, [take() for _ in range(count)])
