"""What becomes of the rows of received frames."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Protocol

import anyio

from connector.errors import DataError
from connector.records.bad import BadRecord
from connector.records.seam import NOTHING_PENDING

REMAINDER = 400
"""Bytes of a submission whose rows are through, while one before it is not."""


class DeliveryCallback(Protocol):
    """Who is told what became of a row: its frame's `Submission`, or whoever stands in for it."""

    @property
    def submission(self) -> Submission:
        """What the row was received with."""

    def count_acknowledged(self, rows: int) -> SubmittedRecords | None:
        """The brokers have ``rows`` more of them. Return whose `SubmittedRecords.settle` is due for it."""

    def given_up(self, record: BadRecord) -> None:
        """One row cannot be published."""


class Submission:
    """
    Counts down as rows that came together are acknowledged or given up.

    ``first`` is the number of its first row among all of the subscription, and ``values`` are its rows.
    ``size`` is what they and their ``frames`` take in memory, ``received_at`` their time of arrival in
    seconds of `time.monotonic`, ``event_ms`` the event time of the last row (``None``: unknown). ``errors``
    holds why rows were given up, ``remembered`` what the seam knows of them.
    """

    __slots__ = (
        "_counted",
        "_ids",
        "_looked_to",
        "_submitted",
        "errors",
        "event_ms",
        "first",
        "frames",
        "pending",
        "received_at",
        "remembered",
        "rows",
        "size",
        "values",
    )

    def __init__(
        self,
        submitted: SubmittedRecords,
        *,
        first: int,
        rows: int,
        size: int,
        received_at: float,
        values: Sequence[object] = (),
        frames: int = 1,
    ) -> None:
        self._submitted = submitted
        self.first = first
        self.rows = rows
        self.frames = frames
        self.values = values
        self.pending = rows
        self.size = size
        self.received_at = received_at
        self.event_ms: int | None = None
        self.remembered = NOTHING_PENDING
        self.errors: list[DataError] = []
        self._looked_to = 0
        self._counted = rows  # whose part of the frames ``size`` holds
        self._ids: list[int] | None = None  # in the place of values

    @property
    def submission(self) -> Submission:
        """See `DeliveryCallback`."""
        return self

    def keep_open(self) -> None:
        """Wait for one thing more, which is told as a row is."""
        self.pending += 1

    def count_acknowledged(self, rows: int) -> SubmittedRecords | None:
        """See `DeliveryCallback`."""
        self.pending -= rows
        return None if self.pending else self._submitted

    def acknowledged(self, rows: int) -> None:
        """The same, and settle what is due."""
        if (submitted := self.count_acknowledged(rows)) is not None:
            submitted.settle()

    def given_up(self, record: BadRecord) -> None:
        """One row cannot be published; it is through, unless somebody else takes care of it."""
        self.errors.append(record.error)
        if not self._submitted.bad(record, self):
            self.acknowledged(1)

    def number(self, value: object) -> int:
        """
        Return the number of the row that ``value`` is, counted from 0 over the subscription's life.

        It is looked for, so that good rows need not carry it; bad ones mostly come in their order.
        """
        if self._ids is not None:
            return self.first + (self._ids.index(id(value)) if id(value) in self._ids else self.rows - 1)
        values, start = self.values, self._looked_to
        for index in chain(range(start, len(values)), range(start)):
            if values[index] is value:
                self._looked_to = index + 1
                return self.first + index
        return self.first + max(self.rows - 1, 0)

    def shrink(self) -> int:
        """Keep nothing for rows that are through; return the bytes that are free for it."""
        if self.pending >= self._counted or self.size <= REMAINDER:
            return 0
        free = (self.size - REMAINDER) * (self._counted - self.pending) // self._counted
        self._counted = self.pending
        self.size -= free
        self._forget_values()
        return free

    def moved(self, value: object, copy: object) -> None:
        """``copy`` stands in for the row that ``value`` is, from now on."""
        ids = self._forget_values()
        if id(value) in ids:
            place = ids.index(id(value))
            # Of a row that is through, whose memory the copy may have got.
            ids[:] = [0 if known == id(copy) else known for known in ids]
            ids[place] = id(copy)

    def _forget_values(self) -> list[int]:
        """Tell rows by their ids, which are theirs alone while they are pending, and so alive."""
        if self._ids is None:
            self._ids = [id(value) for value in self.values] if self.pending else []
            self.values = ()
        return self._ids

    @property
    def submitted(self) -> SubmittedRecords:
        """Where it is entered."""
        return self._submitted

    def grow(self, size: int) -> None:
        """Count ``size`` bytes more until it is through."""
        self.size += size
        self._submitted.held += size


class SubmittedRecords:
    """
    The submissions of one subscription, in the order received.

    ``settled`` is called with submissions once they and all before them are through; ``bad`` with every row
    that is given up, at once: it returns whether it sees to the row's acknowledgement. ``released`` is told
    of bytes that are free before their submission is through.
    """

    def __init__(
        self,
        settled: Callable[[Sequence[Submission]], None],
        bad: Callable[[BadRecord, Submission], bool],
        released: Callable[[int], None] = lambda size: None,
    ) -> None:
        self._settled = settled
        self.bad = bad
        self._released = released
        self._open: deque[Submission] = deque()
        self._waiting: anyio.Event | None = None
        self.held = 0
        self.rows = 0

    def open(
        self, *, rows: int, size: int, received_at: float, values: Sequence[object] = (), frames: int = 1
    ) -> Submission:
        """Enter ``rows`` rows of so many ``frames``, which are ``values``, that take ``size`` bytes."""
        submission = Submission(
            self,
            first=self.rows,
            rows=rows,
            size=size,
            received_at=received_at,
            values=values,
            frames=frames,
        )
        self.rows += rows
        self._open.append(submission)
        self.held += size
        if rows == 0:
            self.settle()
        return submission

    def settle(self) -> None:
        """Pass on, from the front, what is through."""
        done = []
        while self._open and self._open[0].pending == 0:
            submission = self._open.popleft()
            self.held -= submission.size
            done.append(submission)
        if done:
            self._settled(done)
        self._wake()

    def shrink(self) -> None:
        """
        Keep nothing for rows that are through behind some that wait for long. That looks at every submission
        that is open.
        """
        free = sum(submission.shrink() for submission in self._open)
        if free:
            self.held -= free
            self._released(free)
            self._wake()

    def _wake(self) -> None:
        if self._waiting is not None:
            self._waiting.set()
            self._waiting = None

    async def below(self, size: int) -> None:
        """Return once less than ``size`` bytes are open, or nothing is."""
        while self.held >= size and self._open:
            self._waiting = self._waiting or anyio.Event()
            await self._waiting.wait()

    @property
    def received(self) -> Iterator[float]:
        """When each of those that are open was received."""
        return (submission.received_at for submission in self._open)

    def __len__(self) -> int:
        return len(self._open)
