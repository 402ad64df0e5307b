"""
One partition's rows, in order, on their way to the brokers.

A lane has at most one batch in flight. While it flies the next one grows, so batches are large under
load and carry one row without it; nothing waits for a linger unless one is set. Rows belong to the lane
until they are acknowledged: a broken producer gives them back, and the next one sends them again.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio

from connector.backoff import Backoff
from connector.errors import ConnectorError, DataError
from connector.kafka import Batch, ContentRefused, Producer, QueueFull, TopicMissing
from connector.publish.receipt import Receipt
from connector.records.extract import EVENT_TIME_HEADER, Headers, Value

if TYPE_CHECKING:
    from connector.publish.topic import Topic


@dataclass(slots=True)
class Gate:
    """Shut, it keeps lanes from sending another batch: the producer is about to be given up."""

    shut: bool = False


Entry = tuple[bytes | None, Value, int, Headers, int, Receipt]
"""Key, value, timestamp in ms, headers, bytes it takes in a batch, receipt."""


@dataclass(slots=True)
class _Flight:
    entries: list[Entry]
    size: int
    started_at: float


@dataclass(slots=True)
class _Suspects:
    """
    The first ``left`` rows of the lane were refused together, ``chunk`` at a time find out which.

    ``size`` is what was refused, ``reason`` why; ``found`` is set once a single row was to blame.
    """

    left: int
    chunk: int
    size: int
    reason: str
    found: bool = False


@dataclass(slots=True)
class Lane:
    """Rows of ``partition`` of ``topic``; ``linger`` seconds are waited for more rows before a batch."""

    topic: Topic
    partition: int
    linger: float = 0.0
    _rows: deque[Entry] = field(default_factory=deque)
    _flight: _Flight | None = None
    _suspects: _Suspects | None = None
    _wake: anyio.Event = field(default_factory=anyio.Event)
    _backoff: Backoff = field(default_factory=lambda: Backoff(first=0.5, cap=60.0))
    _pause: float = 0.0
    rows_acknowledged: int = 0

    def add(self, entry: Entry) -> None:
        """Append a row; `wake` sends it."""
        self._rows.append(entry)

    def wake(self) -> None:
        """Send what is there."""
        if self._rows:
            self._wake.set()

    @property
    def held(self) -> int:
        """Rows that are not yet acknowledged."""
        return len(self._rows) + (len(self._flight.entries) if self._flight else 0)

    @property
    def waiting_since(self) -> float | None:
        """When the batch in flight was sent, in seconds of `time.monotonic`; ``None`` without one."""
        return self._flight.started_at if self._flight else None

    async def run(self, producer: Producer, gate: Gate) -> ConnectorError:
        """
        Send until the producer cannot be used any more, and return why. Cancelling gives rows back.

        Once ``gate`` is shut, what is in flight may land and nothing more is sent.
        """
        try:
            if self._pause:
                await anyio.sleep(self._pause)
            while True:
                while not self._rows:
                    self._wake = anyio.Event()
                    await self._wake.wait()
                if self.linger:
                    await anyio.sleep(self.linger)
                if gate.shut:
                    await anyio.sleep_forever()
                batch = self._fill(producer)
                try:
                    await self._write(producer, batch)
                except ContentRefused as error:
                    self._doubt(error)
                    return error
                except ConnectorError as error:
                    self._pause = self._backoff.next(at_least=0.2)
                    return error
                self._landed()
        finally:
            self._take_back()

    async def _write(self, producer: Producer, batch: Batch) -> None:
        while True:
            try:
                await producer.write(batch, self.topic.name, self.partition)
            except (QueueFull, TopicMissing):
                await anyio.sleep(self._backoff.next(at_least=0.2))
                continue
            return

    def _fill(self, producer: Producer) -> Batch:
        batch = producer.new_batch()
        append, rows = batch.append, self._rows
        entries: list[Entry] = []
        size, cap = 0, self.topic.cap
        most = self._suspects.chunk if self._suspects else len(rows)
        while rows and len(entries) < most:
            entry = rows[0]
            key, value, moment, headers, weight, _ = entry
            if entries and size + weight > cap:
                break
            if append(timestamp=moment, key=key, value=value, headers=headers) is None:
                break
            entries.append(rows.popleft())
            size += weight
        self._flight = _Flight(entries, size, time.monotonic())
        return batch

    def _landed(self) -> None:
        flight, self._flight = self._flight, None
        assert flight is not None
        self._backoff.reset()
        self._pause = 0.0
        self.rows_acknowledged += len(flight.entries)
        count, last = 0, flight.entries[0][5]
        for entry in flight.entries:
            receipt = entry[5]
            if receipt is not last:
                last.acknowledged(count)
                count, last = 0, receipt
            count += 1
        last.acknowledged(count)
        self._cleared(len(flight.entries))

    def _cleared(self, rows: int) -> None:
        suspects = self._suspects
        if suspects is None:
            return
        suspects.left -= rows
        if suspects.left <= 0:
            if suspects.reason == "too_large" and not suspects.found:
                # No single row was too large, so the batch was: smaller ones from now on.
                self.topic.cap = min(self.topic.cap, max(suspects.size // 2, 1))
            self._suspects = None

    def _doubt(self, error: ContentRefused) -> None:
        """Take a refused batch apart: in halves until the bad row is alone, and then give that one up."""
        flight = self._flight
        assert flight is not None
        if len(flight.entries) > 1:
            left = max(self._suspects.left if self._suspects else 0, len(flight.entries))
            size = max(self._suspects.size if self._suspects else 0, flight.size)
            found = self._suspects.found if self._suspects else False
            self._suspects = _Suspects(left, len(flight.entries) // 2, size, error.reason, found)
            return
        self._flight = None
        entry = flight.entries[0]
        if error.reason == "timestamp" and not any(name == EVENT_TIME_HEADER for name, _ in entry[3]):
            key, value, moment, headers, weight, receipt = entry
            headers = [*headers, (EVENT_TIME_HEADER, b"%d" % moment)]
            self._rows.appendleft((key, value, round(time.time() * 1000), headers, weight + 40, receipt))
            self.topic.times_replaced += 1
            return
        if self._suspects:
            self._suspects.found = True
        entry[5].given_up(_alone(error, self.topic.name, entry))
        self._cleared(1)

    def _take_back(self) -> None:
        if self._flight is not None:
            self._rows.extendleft(reversed(self._flight.entries))
            self._flight = None


def _alone(error: ContentRefused, topic: str, entry: Entry) -> DataError:
    return ContentRefused(error.reason, f"topic {topic} refuses a row of {len(entry[1])} bytes: {error}")
