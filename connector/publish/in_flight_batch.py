"""Rows on their way to the brokers, in one batch."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from itertools import islice

from connector.kafka import Batch
from connector.publish.entry import Entry
from connector.publish.submitted_records import SubmittedRecords


@dataclass(slots=True)
class InFlightBatch:
    """``entries`` are in ``batch``; they were sent at ``started_at`` (`anyio.current_time`), or not yet."""

    batch: Batch
    entries: list[Entry]
    started_at: float | None = None

    def mark_sent(self) -> None:
        """It is about to be sent."""
        self.started_at = asyncio.get_running_loop().time()


def detach(queue: deque[Entry]) -> set[SubmittedRecords]:
    """
    Copy rows at the end of ``queue``, down to those that were copied before, out of the frames that they came
    in: a row that waits for long would keep all of its frame. Return where they are entered.
    """
    copied: deque[Entry] = deque()
    entered = set()
    while queue:
        entry = queue.pop()
        key, value, moment, headers, callback = entry
        if type(value) is bytes:
            entered.add(callback.submission.submitted)
            queue.append(entry)
            break
        own = bytes(value)
        callback.submission.moved(value, own)
        entered.add(callback.submission.submitted)
        copied.appendleft((key, own, moment, headers, callback))
    queue.extend(copied)
    return entered


def acknowledge(entries: list[Entry]) -> None:
    """Tell the submissions of ``entries``, once for each run of rows; then settle, once for each."""
    to_settle = set()
    count, last = 0, entries[0][4]
    for entry in entries:
        callback = entry[4]
        if callback is not last:
            to_settle.add(last.count_acknowledged(count))
            count, last = 0, callback
        count += 1
    to_settle.add(last.count_acknowledged(count))
    for submitted in to_settle:
        if submitted is not None:
            submitted.settle()


def fill(batch: Batch, rows: deque[Entry], *, most: int) -> InFlightBatch:
    """Move rows into ``batch``: at least one, and at most ``most``."""
    count = batch.extend(rows if most >= len(rows) else islice(rows, most))
    take = rows.popleft
    return InFlightBatch(batch, [take() for _ in range(count)])
