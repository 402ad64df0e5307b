"""
What becomes durable together.

By default (`EpochPolicy.ACKNOWLEDGED`) a submission is durable by its acknowledgement, and nothing of this
is used. With `EpochPolicy.COMMITTED` acknowledged rows are kept, and can be sent again, until their epoch
ends, as it does with the commit of a transaction. Then the submissions are passed on, in their order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, Protocol

import anyio

from connector.publish.entry import Entry
from connector.publish.in_flight_batch import acknowledge
from connector.publish.submitted_records import DeliveryCallback, Submission
from connector.records.record import SourceRecord

Rows = Mapping[str, Sequence[SourceRecord]]
"""Rows by their topics."""


class KeptRows:
    """
    One partition's rows that are acknowledged, in order, while their epoch has not ended.

    ``progressed`` is called when that may be the last thing that closing an epoch waits for.
    """

    def __init__(self, progressed: Callable[[], None]) -> None:
        self.progressed = progressed
        self._batches: list[list[Entry]] = []

    def add(self, entries: list[Entry]) -> None:
        """Keep the rows of an acknowledged batch."""
        self._batches.append(entries)
        self.progressed()

    def take(self) -> list[Entry]:
        """Keep nothing any more; return what was kept."""
        batches, self._batches = self._batches, []
        return [entry for entries in batches for entry in entries]

    def end(self) -> None:
        """Keep nothing any more, and tell that the rows are durable."""
        batches, self._batches = self._batches, []
        for entries in batches:
            acknowledge(entries)

    def __len__(self) -> int:
        return sum(len(entries) for entries in self._batches)


class KeepingSender(Protocol):
    """A partition's sender, as far as epochs need to know."""

    @property
    def kept(self) -> KeptRows | None:
        """Acknowledged rows whose epoch has not ended."""

    def send_again(self) -> None:
        """Queue what is kept once more, before everything else."""


class Epochs:
    """
    A publisher's. One epoch is open at a time; submissions join it when the first of their rows is added.

    Call `close`, make durable what the brokers acknowledged, then call `end`, or `abort` where that failed.
    What is added from `close` on waits, and belongs to the next epoch. So nothing is sent between `close`
    and `end`, and no submission is ever in two epochs.

    ``senders`` returns those of all partitions, ``add`` queues rows that waited; ``ended`` is called at the
    boundary: after the submissions of an epoch were passed on, and before anything of the next is sent.
    """

    def __init__(
        self,
        *,
        senders: Callable[[], Iterable[KeepingSender]],
        add: Callable[[Rows, DeliveryCallback, int], object],
    ) -> None:
        self.ended: Callable[[], None] = lambda: None
        self._senders = senders
        self._add = add
        self._state: Literal["open", "closing", "closed"] = "open"
        self._submissions: dict[Submission, None] = {}  # in the order in which they joined
        self._waiting: deque[tuple[Rows, DeliveryCallback, int]] = deque()
        self._progress = anyio.Event()

    @property
    def is_at_boundary(self) -> bool:
        """Whether nothing joined the present epoch."""
        return not self._submissions

    @property
    def waiting(self) -> int:
        """Rows that wait for the next epoch."""
        return sum(len(of_topic) for rows, _, _ in self._waiting for of_topic in rows.values())

    def join(self, rows: Rows, callback: DeliveryCallback, now_ms: int) -> bool:
        """Return whether ``rows`` may be queued at once; else they are once the next epoch is open."""
        submission = callback.submission
        if submission in self._submissions:
            return True
        if self._state != "open":
            self._waiting.append((rows, callback, now_ms))
            return False
        if submission.pending:
            submission.keep_open()
            self._submissions[submission] = None
        return True

    async def close(self) -> tuple[Submission, ...]:
        """
        Let nothing more join the epoch, and return what did once all of it is acknowledged or given up.

        Whatever keeps rows from being acknowledged keeps this waiting. Cancelling opens the epoch again.

        Raises:
            RuntimeError: It is closed already, or being closed.
        """
        if self._state != "open":
            raise RuntimeError("the epoch was closed before")
        self._state = "closing"
        try:
            while not self._is_complete():
                self._progress = anyio.Event()
                await self._progress.wait()
        except BaseException:
            self._open()
            raise
        self._state = "closed"
        return tuple(self._submissions)

    def end(self) -> None:
        """
        Pass the submissions on: they are durable. The next epoch is open.

        Raises:
            RuntimeError: The epoch is not closed.
        """
        self._require_closed()
        submissions, self._submissions = self._submissions, {}
        for kept in self._kept():
            kept.end()
        to_settle = dict.fromkeys(submission.count_acknowledged(1) for submission in submissions)
        for submitted in to_settle:
            if submitted is not None:
                submitted.settle()
        self.ended()
        self._open()

    def abort(self) -> None:
        """
        Send all of the epoch again, in order. It is open again, with what had joined.

        Raises:
            RuntimeError: The epoch is not closed.
        """
        self._require_closed()
        self._send_again()
        self._open()

    def producer_lost(self) -> None:
        """
        Send again what a producer had sent that is gone, unless the epoch is closed: then whoever closed it
        finds out whether it is durable. No sender may be running.
        """
        if self._state != "closed":
            self._send_again()

    def progressed(self) -> None:
        """Look whether the epoch that is being closed is complete."""
        self._progress.set()

    def _is_complete(self) -> bool:
        """Whether every row of every submission was added, and is acknowledged or given up."""
        # One is the epoch's own. Rows that are not kept are with their senders, or have not been added yet.
        open_rows = sum(submission.pending - 1 for submission in self._submissions)
        return open_rows == sum(len(kept) for kept in self._kept())

    def _kept(self) -> list[KeptRows]:
        return [sender.kept for sender in self._senders() if sender.kept is not None]

    def _send_again(self) -> None:
        for sender in self._senders():
            sender.send_again()

    def _require_closed(self) -> None:
        if self._state != "closed":
            raise RuntimeError("the epoch is not closed")

    def _open(self) -> None:
        self._state = "open"
        waiting, self._waiting = self._waiting, deque()
        for rows, callback, now_ms in waiting:
            self._add(rows, callback, now_ms)
