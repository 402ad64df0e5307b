"""
From a result to the inbox: what the reading side does with each frame.

Nothing here waits. Whatever is odd about a result (errors, no data, a refusal in the place of data) is
found here, so that a refusal ends the attempt that it came by.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from connector.records.bad import ForeignFrame, Unconvertible
from connector.records.list_slices import HeldRows, ListSlices, Slices
from connector.records.seam import RowSource, Seam
from connector.subscription import Delivered, Inbox, MemoryShare, ProtocolViolation
from connector.task.intake import Source
from connector.task.observers import FlowObserver
from connector.task.odd_results import OddResults
from connector.task.settings import SubscriptionSettings
from connector.task.status import StatusTracker

ROW_OVERHEAD = 400
"""Bytes that a row takes beside its own: its slice, its key, its entry in a queue."""


MOST_ROWS = 1000
"""Rows that go on in one go; before more of them others get their turn."""

MOST_KEPT = 512 * 1024
"""Bytes that are kept of a frame that no rows can be read from: to hide secrets in more takes long."""

JOIN_BELOW = 256 * 1024
"""Bytes; frames that came within one millisecond go on together, up to about so many."""


@dataclass(slots=True)
class Arrival:
    """
    The rows of frames that came at one time (seconds, unix ms) by one source, and what they
    take in memory.

    With ``error`` the only row is a whole frame, from which none can be read. With ``slices`` the rows are
    many, and still there; ``size`` is what they take as long as they are.
    """

    rows: list[msgspec.Raw]
    received_at: float
    received_ms: int
    size: int
    source: RowSource
    error: Unconvertible | None = None
    frames: int = 1
    slices: Slices | None = None


class Receiver:
    """
    One subscription's, whatever attempts there are.

    Frames that no rows can be read from are passed on as bad records where that is tolerated; ``hide``
    takes secrets out of them, for nobody knows what they are. ``clock`` returns seconds.
    """

    def __init__(
        self,
        settings: SubscriptionSettings,
        *,
        inbox: Inbox[Arrival],
        seam: Seam[Arrival],
        memory: MemoryShare,
        status: StatusTracker,
        observer: FlowObserver,
        hide: Callable[[bytes], bytes] = bytes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rows = settings.rows
        self._rows_limit = settings.rows_limit
        self._inbox = inbox
        self._seam = seam
        self._no_source = seam.open_source()  # of frames that no rows can be read from
        self._memory = memory
        self._status = status
        self._observer = observer
        self._hide = hide
        self._clock = clock
        self.last_row_at: float | None = None
        """When the last rows came, in seconds of ``clock``; ``None``: none did."""
        self._odd = OddResults(settings, status=status, observer=observer, keep=self._keep)

    def receive(self, result: Delivered, source: Source) -> bool:
        """
        Put the rows of ``result``, which came by ``source``, into the inbox; return whether there were any.

        Raises:
            ServerRefused: It carries a refusal.
            ProtocolViolation: No rows can be read from it, and that is not tolerated.
        """
        payload, frame, finder = result.payload, result.frame, self._rows
        rows = finder.rows_of(payload, frame) if type(payload) is finder.payload_type else None
        if rows is None:
            # Nothing there, another shape than compiled for, errors beside the data, keys that come twice, or
            # a large message.
            found = self._odd.rows_of(result, source)
            if found is None:
                return False
            if isinstance(found, ListSlices):
                self._receive_large(source, frame, found)
                return True
            rows = found
        received_ms = time.time_ns() // 1_000_000
        count, size = len(rows), len(frame)
        if count > MOST_ROWS:
            self._receive_large(source, frame, HeldRows(rows, size), count)
            return True
        self._status.last_row_at = received_ms / 1000
        self._observer.received(count, size)
        if count == self._rows_limit:
            self._observer.full_message()
        size += ROW_OVERHEAD * count
        last = self._inbox.last
        rows_from = source.rows_from
        if self._seam.takes_batches:
            self._join(Arrival(rows, self._clock(), received_ms, size, rows_from))
        elif (
            last is not None
            and last.received_ms == received_ms
            and last.source is rows_from
            and last.error is None
            and last.slices is None
            and last.size + size < JOIN_BELOW
        ):
            last.rows += rows
            last.size += size
            last.frames += 1
        else:
            now = rows_from.last_row_at = self.last_row_at = self._clock()
            self._inbox.put(Arrival(rows, now, received_ms, size, rows_from))
        self._memory.take(size)
        return True

    def _join(self, arrival: Arrival) -> None:
        """Two sessions bring rows: some are held for now, and those that both bring go on once."""
        arrival.source.last_row_at = self.last_row_at = arrival.received_at
        for going in self._seam.take(arrival.source, arrival):
            self._inbox.put(going)

    def _receive_large(self, source: Source, frame: bytes, slices: Slices, count: int = 0) -> None:
        """Keep what is many rows as little as it can be; they are counted, and take more, once they go on."""
        if count and count == self._rows_limit:
            self._observer.full_message()
        received_ms = time.time_ns() // 1_000_000
        self._status.last_row_at = received_ms / 1000
        self._observer.received(0, len(frame))
        # What is left of the slices may be less in the end; they take as much.
        size = slices.size
        self._join(Arrival([], self._clock(), received_ms, size, source.rows_from, slices=slices))
        self._memory.take(size)

    def keep_foreign(self, frame: bytes, error: ProtocolViolation) -> None:
        """Pass on ``frame``, which is no message of the subprotocol."""
        self._keep(frame, ForeignFrame(str(error)))

    def _keep(self, frame: bytes, error: Unconvertible) -> None:
        frame = frame[:MOST_KEPT]
        size = len(frame) + ROW_OVERHEAD
        row = msgspec.Raw(self._hide(frame))
        now, now_ms = self._clock(), time.time_ns() // 1_000_000
        self._inbox.put(Arrival([row], now, now_ms, size, self._no_source, error))
        self._memory.take(size)
