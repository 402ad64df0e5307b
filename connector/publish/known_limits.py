"""What is known of the rows that a topic accepts: what brokers told, and what their refusals taught."""

from __future__ import annotations

import time

from connector.kafka import TopicLimits
from connector.publish.entry import Entry, restamped
from connector.publish.size import weight

DEFAULT_MAX_MESSAGE_BYTES = 1_048_588
"""Kafka's default for ``max.message.bytes``, taken where the topic cannot be asked."""

DEFAULT_FUTURE_MS = 3_600_000
"""Kafka's default for ``message.timestamp.after.max.ms``."""


RETRY = 600.0
"""Seconds after which a row is tried again that is as large as one that was refused."""


class KnownLimits:
    """
    One topic's. ``told`` is what the brokers said of it; all that is unknown at first.

    Batches have at most ``max_batch_bytes``, and at most what the topic takes: ``cap``. ``times_replaced``
    counts event times that gave way to the present since it was last set to 0.
    """

    def __init__(self, *, max_batch_bytes: int, compressed: bool) -> None:
        self.times_replaced = 0
        self._max_batch_bytes = max_batch_bytes
        self._compressed = compressed
        self._certain: int | None = None
        self._learned: tuple[int, float] | None = None  # a row's size, and until when it counts
        self.learn(TopicLimits())

    @property
    def certain(self) -> int | None:
        """Bytes of a batch above which the brokers refuse it for certain; ``None`` where only they know."""
        if self._learned is not None:
            limit, until = self._learned
            if time.monotonic() < until:
                return limit if self._certain is None else min(limit, self._certain)
            self._learned = None
        return self._certain

    def learn(self, told: TopicLimits) -> None:
        """Take what the brokers said of it."""
        self.told, self._learned = told, None
        self.cap = min(self._max_batch_bytes, told.max_batch_bytes or DEFAULT_MAX_MESSAGE_BYTES)
        # A compressed row may be smaller than it looks, so only the broker can refuse it.
        self._certain = None if self._compressed else told.max_batch_bytes
        self._future_ms = DEFAULT_FUTURE_MS if told.future_ms is None else told.future_ms
        self._past_ms = told.past_ms

    def learn_batch_size(self, cap: int) -> None:
        """Make batches no larger than ``cap`` bytes: larger ones are refused though no row is too large."""
        self.cap = min(self.cap, cap)

    def learn_row_size(self, refused: Entry) -> None:
        """Take note that the brokers found one row too large: larger ones need not be tried for a while."""
        if not self._compressed:
            key, value, _, headers, _ = refused
            limit = weight(key, headers) + len(value)
            if self._learned is not None:
                limit = min(limit, self._learned[0])
            self._learned = limit, time.monotonic() + RETRY

    def learn_time(self, refused_ms: int, now_ms: int) -> None:
        """
        Take note that the brokers refused ``refused_ms`` as a timestamp at ``now_ms``.

        Half of the distance is taken for the limit: a backlog whose rows are each a little younger than
        the last would otherwise cost one refused batch each.
        """
        ahead = refused_ms - now_ms
        if ahead > 0:
            self._future_ms = min(self._future_ms, ahead // 2)
        else:
            past_ms = -ahead // 2
            self._past_ms = past_ms if self._past_ms is None else min(self._past_ms, past_ms)

    def window(self, now_ms: int) -> tuple[int, int]:
        """Return the earliest and the latest timestamp in ms that the topic takes at ``now_ms``."""
        return 0 if self._past_ms is None else now_ms - self._past_ms, now_ms + self._future_ms

    def mended(self, entry: Entry, now_ms: int) -> Entry:
        """Return ``entry`` as the brokers take it, after `learn_time`."""
        earliest, latest = self.window(now_ms)
        if earliest <= entry[2] <= latest:
            return entry
        mended = restamped(entry, now_ms)
        if mended is None:
            return entry
        self.times_replaced += 1
        return mended
