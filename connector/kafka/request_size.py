"""
How large a produce request may be.

Brokers and proxies close a connection on which a request comes that is too large for them
(``socket.request.max.bytes``), and say nothing. So requests are bounded, and halved where that happens.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)

REQUEST_OVERHEAD = 1024
"""Bytes of a request besides its one batch: header, names, numbers."""

FLOOR = 16 * 1024
"""Bytes of a request that is taken everywhere: where a connection ends on it, it is for another reason."""

ENDS = 2
"""Connections that must end in a row before it is put down to the size: one may be a broker's restart."""

FORGET = 60.0
"""Seconds after which an end does not count any more."""

GROW = 10.0
"""Seconds of acknowledgements after which the limit is doubled, as long as that was never too large."""

RETRY = 600.0
"""Seconds after which a size that was too large is tried again; twice as long each time, up to a day."""

RETRY_MOST = 86_400.0

ALONE = 8
"""Connections that must have ended on one row alone, over `ALONE_FOR` seconds, before the row is given up."""

ALONE_FOR = 10.0


@dataclass(slots=True)
class _Ends:
    """Connections to one broker that ended in a row; ``size`` is that of the smallest request."""

    size: int
    count: int
    at: float


class RequestSize:
    """
    ``most`` bytes at first; ``limit`` is what holds now. ``error`` says what connections ended on, while
    nothing of that size was answered; ``None`` where nothing is wrong. Producers that follow one another
    share it.
    """

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = most
        self.error: str | None = None
        self._most = most
        self._clock = clock
        self._ends: dict[object, _Ends] = {}
        self._grown_at = 0.0
        self._too_large: int | None = None  # the smallest request that was found to be too large
        self._retry = RETRY
        self._alone: _Ends | None = None  # as of a broker, with the first one's time

    @property
    def batch_limit(self) -> int:
        """Bytes that a batch may have, so that a request with it alone is within the limit."""
        return max(self.limit - REQUEST_OVERHEAD, 1)

    def ended(self, size: int, broker: object = None, *, is_one_row: bool = False) -> None:
        """A connection to ``broker`` ended before it answered ``size`` bytes, which may be one row's."""
        if size <= min(FLOOR, self._most):
            return
        now = self._clock()
        ends = self._ends.get(broker)
        if ends is None or now - ends.at > FORGET:
            ends = self._ends[broker] = _Ends(size, 0, now)
        ends.size, ends.count, ends.at = min(ends.size, size), ends.count + 1, now
        self._grown_at = now
        if is_one_row:
            self._alone = self._alone or _Ends(size, 0, now)
            self._alone.size, self._alone.count = min(self._alone.size, size), self._alone.count + 1
        if ends.count >= ENDS:
            self._shrink(size)

    def _shrink(self, size: int) -> None:
        is_known = self._too_large is not None and size >= self._too_large
        self._too_large = size if self._too_large is None else min(size, self._too_large)
        limit = max(min(self.limit, size // 2), min(FLOOR, self._most))
        self.error = (
            f"the broker closed the connection on a request of {size} bytes: raise what brokers and proxies "
            "take (socket.request.max.bytes), or lower kafka.producer.max_request_bytes"
        )
        if limit < self.limit:
            self.limit = limit
            if is_known:  # it was tried again, and too early
                self._retry = min(self._retry * 2, RETRY_MOST)
            log.warning("kafka ends connections on large requests", error=self.error, limit=limit)

    @property
    def is_hopeless(self) -> bool:
        """Whether one row alone was tried often enough that it must be the row."""
        alone = self._alone
        return alone is not None and alone.count >= ALONE and self._clock() - alone.at >= ALONE_FOR

    def answered(self, size: int, broker: object = None) -> None:
        """A request of ``size`` bytes was answered by ``broker``."""
        if not self._ends and self.limit == self._most:
            return
        if (ends := self._ends.get(broker)) is not None and size >= ends.size:
            del self._ends[broker]
        if self._alone is not None and size >= self._alone.size:
            self._alone = None
        if size >= self.limit // 2:
            if self._alone is None:
                self.error = None
            self._grow(size)

    def row_given_up(self) -> None:
        """The row that was tried alone is tried no more."""
        self._alone = self.error = None

    def _grow(self, size: int) -> None:
        if self._too_large is not None and size >= self._too_large:
            self._too_large, self._retry = None, RETRY
        if self.limit == self._most:
            return
        larger = min(self.limit * 2, self._most)
        is_known = self._too_large is not None and larger >= self._too_large
        now = self._clock()
        if now - self._grown_at >= (self._retry if is_known else GROW):
            self.limit, self._grown_at = larger, now
