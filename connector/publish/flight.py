"""Rows on their way to the brokers, in one batch."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import anyio

from connector.kafka import Batch
from connector.publish.entry import Entry


@dataclass(slots=True)
class Flight:
    """``entries`` take about ``size`` bytes, and left at ``started_at`` (`anyio.current_time`)."""

    entries: list[Entry]
    size: int
    started_at: float

    def landed(self) -> None:
        """Tell the receipts, once for each run of rows."""
        count, last = 0, self.entries[0][5]
        for entry in self.entries:
            receipt = entry[5]
            if receipt is not last:
                last.acknowledged(count)
                count, last = 0, receipt
            count += 1
        last.acknowledged(count)


def fill(batch: Batch, rows: deque[Entry], *, most: int, cap: int) -> Flight:
    """Move rows into ``batch``: at least one, at most ``most``, and no more than ``cap`` bytes of several."""
    append = batch.append
    entries: list[Entry] = []
    size = 0
    while rows and len(entries) < most:
        key, value, moment, headers, weight, _ = rows[0]
        if entries and size + weight > cap:
            break
        if append(timestamp=moment, key=key, value=value, headers=headers) is None:
            break
        entries.append(rows.popleft())
        size += weight
    return Flight(entries, size, anyio.current_time())
