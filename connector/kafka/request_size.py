"""
How large a produce request may be.

Brokers and proxies close a connection on which a request comes that is too large for them
(``socket.request.max.bytes``), and say nothing. So requests are bounded, and halved where that happens.
"""

from __future__ import annotations

import time
from collections.abc import Callable

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
        self._suspect: int | None = None  # the smallest request that a connection ended on
        self._ends = 0
        self._ended_at = 0.0
        self._grown_at = 0.0
        self._too_large: int | None = None  # the smallest request that was found to be too large
        self._retry = RETRY
        self._alone_since: float | None = None
        self._alone = 0

    @property
    def batch_limit(self) -> int:
        """Bytes that a batch may have, so that a request with it alone is within the limit."""
        return max(self.limit - REQUEST_OVERHEAD, 1)

    def ended(self, size: int, *, is_one_row: bool = False) -> None:
        """A connection ended before it answered a request of ``size`` bytes, which may be of one row."""
        if size <= min(FLOOR, self._most):
            return
        now = self._clock()
        if self._suspect is None or now - self._ended_at > FORGET:
            self._suspect, self._ends = size, 0
        self._suspect = min(self._suspect, size)
        self._ends += 1
        self._ended_at = self._grown_at = now
        if is_one_row:
            self._alone_since = now if self._alone_since is None else self._alone_since
            self._alone += 1
        if self._ends >= ENDS:
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
        return (
            self._alone >= ALONE
            and self._alone_since is not None
            and self._clock() - self._alone_since >= ALONE_FOR
        )

    def answered(self, size: int) -> None:
        """A request of ``size`` bytes was answered."""
        if self._suspect is None and self.limit == self._most:
            return
        if self._suspect is not None and size >= self._suspect:
            self._suspect, self._ends = None, 0
        if size >= self.limit // 2:
            self._alone, self._alone_since = 0, None
            self.error = None
            self._grow(size)

    def row_given_up(self) -> None:
        """The row that was tried alone is tried no more."""
        self._alone, self._alone_since = 0, None
        self.error = None

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
