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

CLOSED = "closed the connection on"

_LOOK = "look at their log, and at proxies on the way"


def left_unanswered(size: int) -> str:
    """Say that brokers let the time for a request of ``size`` bytes pass, and what to do."""
    return f"the brokers answer, but not produce requests of {size} bytes: {_LOOK}"


@dataclass(slots=True)
class _Ends:
    """Connections to one broker that ended in a row; ``size`` is that of the smallest request."""

    size: int
    count: int
    at: float


class RequestSize:
    """
    ``most`` bytes at first; ``limit`` is what holds now. ``error`` says what connections ended on, while
    nothing of that size was answered; ``None`` where nothing is wrong. ``trouble`` says the same of requests
    whose size is not to blame. Producers that follow one another share it.
    """

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = most
        self.error: str | None = None
        self.trouble: str | None = None
        self._most = most
        self._clock = clock
        self._ends: dict[object, _Ends] = {}
        self._grown_at = 0.0
        self._too_large: int | None = None  # the smallest request that was found to be too large
        self._retry = RETRY
        self._alone: _Ends | None = None  # as of a broker, with the first one's time
        self._hopeless: tuple[int, float, str] | None = None  # a row's size, until when, and why
        self._small = 0  # requests in a row without an answer that were not too large
        self._silent: dict[object, _Ends] = {}  # what a broker left without an answer

    @property
    def batch_limit(self) -> int:
        """Bytes that a batch may have, so that a request with it alone is within the limit."""
        return max(self.limit - REQUEST_OVERHEAD, 1)

    def ended(self, size: int, broker: object = None, *, is_one_row: bool = False, did: str = CLOSED) -> None:
        """A connection to ``broker`` ended before it answered ``size`` bytes; ``did`` names what it did."""
        if size <= min(FLOOR, self._most):
            self._small += 1
            if self._small >= ENDS:
                self.trouble = self.trouble or (
                    f"the brokers answer, but end connections on produce requests of {size} bytes: {_LOOK}"
                )
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
            self._shrink(size, did)

    def _shrink(self, size: int, did: str) -> None:
        is_known = self._too_large is not None and size >= self._too_large
        self._too_large = size if self._too_large is None else min(size, self._too_large)
        limit = max(min(self.limit, size // 2), min(FLOOR, self._most))
        self.error = (
            f"the broker {did} a request of {size} bytes: raise what brokers and proxies "
            "take (socket.request.max.bytes), or lower kafka.producer.max_request_bytes"
        )
        if limit < self.limit:
            self.limit = limit
            if is_known:  # it was tried again, and too early
                self._retry = min(self._retry * 2, RETRY_MOST)
            log.warning("kafka ends connections on large requests", error=self.error, limit=limit)

    def unanswered(self, size: int, broker: object, heard_at: float, *, is_one_row: bool = False) -> None:
        """
        ``broker`` let the time for ``size`` bytes pass; it told of the cluster at ``heard_at``, by the clock.

        As with an end, where it did so after it had let another pass: else it may answer nothing at all.
        """
        now, before = self._clock(), self._silent.get(broker)
        self._silent[broker] = _Ends(size, 1, now)
        self.trouble = self.trouble or left_unanswered(size)
        if (
            before is None
            or heard_at <= before.at
            or now - before.at > RETRY
            or size <= min(FLOOR, self._most)
        ):
            return
        self._ends[broker] = _Ends(size, ENDS - 1, now)
        self.ended(size, broker, is_one_row=is_one_row, did="did not answer")

    def refusal_of(self, size: int) -> str | None:
        """Return why a row of ``size`` bytes need not be tried, as its like was in vain; else ``None``."""
        if self._hopeless is None or size < self._hopeless[0]:
            return None
        return self._hopeless[2] if self._clock() < self._hopeless[1] else None

    @property
    def is_hopeless(self) -> bool:
        """Whether one row alone was tried often enough that it must be the row."""
        alone = self._alone
        return alone is not None and alone.count >= ALONE and self._clock() - alone.at >= ALONE_FOR

    def answered(self, size: int, broker: object = None) -> None:
        """A request of ``size`` bytes was answered by ``broker``."""
        self.trouble, self._small = None, 0
        if self._silent and broker in self._silent and size >= self._silent[broker].size:
            del self._silent[broker]
        if not self._ends and self.limit == self._most:
            return
        if self._hopeless is not None and size >= self._hopeless[0]:
            self._hopeless = None
        if (ends := self._ends.get(broker)) is not None and size >= ends.size:
            del self._ends[broker]
        if self._alone is not None and size >= self._alone.size:
            self._alone = None
        if size >= self.limit // 2:
            if self._alone is None:
                self.error = None
            self._grow(size)

    def row_given_up(self) -> None:
        """The row that was tried alone is tried no more, nor are larger ones for a while."""
        if self._alone is not None and self.error is not None:
            self._hopeless = self._alone.size, self._clock() + RETRY, self.error
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
