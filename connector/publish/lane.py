"""
One partition's rows, in order, on their way to the brokers.

A lane has at most one batch in flight. While it flies the next one grows, so batches are large under
load and carry one row without it; see `Gate` for how long a small one waits. A full one is put together
before its turn: far from the brokers, nothing should come between two requests. Rows belong to the lane
until they are acknowledged: a broken producer gives them back, and the next one sends them again.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import anyio

from connector.backoff import Backoff
from connector.errors import ConnectorError
from connector.kafka import BrokerUnreachable, ContentRefused, QueueFull, TopicMissing
from connector.publish.brokers import Writer
from connector.publish.entry import Entry
from connector.publish.epochs import KeptRows
from connector.publish.flight import Flight, acknowledge, fill
from connector.publish.gate import LARGE, Gate
from connector.publish.known_limits import KnownLimits
from connector.publish.refused_batches import RefusedBatches

RETRY = 0.5
"""Seconds before a batch that the producer did not take is offered again."""


@dataclass(slots=True, eq=False)
class Lane:
    """
    Rows of ``partition`` of ``topic``; ``linger`` seconds are waited for more rows before a batch.

    Rows are put into ``queue``; `wake` sends them. As long as all is well batches leave and land in callbacks
    of the loop, since waking a task takes longer; `run` sees to the rest. ``kept`` of ``None``: rows are
    durable once they are acknowledged; else they are kept there until their epoch ends.
    """

    topic: str
    partition: int
    limits: KnownLimits
    linger: float = 0.0
    kept: KeptRows | None = None
    queue: deque[Entry] = field(default_factory=deque)
    rows_acknowledged: int = 0
    _refused: RefusedBatches = field(init=False)
    _flight: Flight | None = None
    _next: Flight | None = None
    _way: tuple[Writer, Gate] | None = None  # while it runs
    _is_boarding: bool = False
    _full: int = sys.maxsize  # rows of the last batch that was full
    _trouble: anyio.Event = field(default_factory=anyio.Event)
    _failure: Exception | None = None
    _backoff: Backoff = field(default_factory=lambda: Backoff(first=0.5, cap=60.0))
    _rests_until: float = 0.0

    def __post_init__(self) -> None:
        self._refused = RefusedBatches(self.topic, self.partition, self.limits)

    def wake(self) -> None:
        """Send what is there, or get it ready."""
        if self._flight is None:
            if self.queue or self._next:
                self._board()
        elif len(self.queue) >= self._full and self._next is None and not self._refused.search and self._way:
            self._next = self._filled(self._way[0])

    def take_all(self) -> list[Entry]:
        """Give up every row, in order, to somebody else; the lane must not be running."""
        self.send_again()
        entries = list(self.queue)
        self.queue.clear()
        self._refused.search = None
        return entries

    def send_again(self) -> None:
        """Queue what is kept once more, before everything else; nothing may be in flight."""
        if self.kept is not None:
            entries = self.kept.take()
            self._refused.precede(len(entries))
            self.queue.extendleft(reversed(entries))
            self.wake()

    @property
    def held(self) -> int:
        """Rows that are not yet acknowledged."""
        return len(self.queue) + sum(len(flight.entries) for flight in (self._flight, self._next) if flight)

    @property
    def waiting_since(self) -> float | None:
        """When the batch in flight was sent, as `anyio.current_time`; ``None`` without one."""
        return self._flight.started_at if self._flight else None

    @property
    def is_large(self) -> bool:
        """See `Boarding`: it is worth a request of its own, or no more would go in."""
        rows = len(self.queue)
        return rows >= LARGE or rows >= self._full

    async def run(self, producer: Writer, gate: Gate) -> ConnectorError:
        """
        Send until something is wrong, and return what. Cancelling gives rows back.

        After ``TopicMissing`` the same producer may be used again, after anything else it must not, and
        ``gate`` is shut: what is in flight may land, and nothing more is sent.
        """
        self._trouble, self._failure = anyio.Event(), None
        try:
            await anyio.sleep_until(self._rests_until)
            self._way = producer, gate
            self.wake()
            while True:
                try:
                    await self._until_trouble()
                    is_taken = await self._write(producer, gate)
                except ContentRefused as error:
                    self._take_back_next()
                    flight, self._flight = self._flight, None
                    assert flight is not None
                    self._refused.take(flight, error, self.queue)
                    if self.kept is not None:
                        self.kept.progressed()
                    return error
                except ConnectorError as error:
                    self._rests_until = anyio.current_time() + self._backoff.next(at_least=0.2)
                    return error
                if is_taken:
                    self._landed()
        finally:
            self._way, self._is_boarding = None, False
            self._take_back()

    # The ordinary way

    def _board(self) -> None:
        if self._way is None or self._is_boarding:
            return
        self._is_boarding = True
        _, gate = self._way
        if self.linger:
            asyncio.get_running_loop().call_later(self.linger, gate.join, self)
        else:
            gate.join(self)

    def depart(self) -> None:
        """See `Boarding`. The gate of an earlier run may call, too: then it leaves a little early."""
        self._is_boarding = False
        if self._way is None or self._flight or not (self._next or self.queue):
            return
        if self._way[1].shut or self._way[1].paused:
            return
        try:
            self._offer(self._way[0])
        except Exception as fault:  # to be raised where it ends the program
            self._fail(fault)

    def _offer(self, producer: Writer) -> None:
        flight = self._next or self._filled(producer)
        self._flight, self._next = flight, None
        flight.departs()
        if not producer.offer(flight.batch, self.topic, self.partition, partial(self._answered, flight)):
            self._trouble.set()

    def _answered(self, flight: Flight, failure: ConnectorError | None) -> None:
        if flight is not self._flight:
            return  # it was taken back
        if failure is not None:
            self._fail(failure)
            return
        try:
            self._landed()
        except Exception as fault:
            self._fail(fault)

    def _landed(self) -> None:
        flight, self._flight = self._flight, None
        assert flight is not None
        self._backoff.reset()
        self.rows_acknowledged += len(flight.entries)
        if self.kept is None:
            acknowledge(flight.entries)
        else:
            self.kept.add(flight.entries)
        if self._refused.search:
            self._refused.dealt_with(len(flight.entries), acknowledged=True)
        if self._next or (self.is_large and not self.linger):
            self.depart()
        elif self.queue:
            self._board()

    def _fail(self, failure: Exception) -> None:
        self._failure = failure
        if self._way is not None and not isinstance(failure, TopicMissing):
            self._way[1].shut = True  # at once: other lanes may be answered before `run` wakes
        self._trouble.set()

    # Everything else

    async def _until_trouble(self) -> None:
        """Return once there is a batch that was not taken at once; raise what became of another."""
        await self._trouble.wait()
        self._trouble = anyio.Event()
        if self._failure is not None:
            raise self._failure

    async def _write(self, producer: Writer, gate: Gate) -> bool:
        """Hand over the batch in flight, as often as it takes; return false where sending was paused."""
        assert self._flight is not None
        while True:
            if gate.shut:  # it was not taken, so there is nothing to wait for
                self._take_back()
                await anyio.sleep_forever()
            if gate.paused:
                self._take_back()
                return False
            with suppress(QueueFull, BrokerUnreachable):
                await producer.write(self._flight.batch, self.topic, self.partition)
                return True
            await anyio.sleep(RETRY)

    def _filled(self, producer: Writer) -> Flight:
        batch = producer.new_batch(self.limits.cap)
        if self._refused.search:
            return fill(batch, self.queue, most=self._refused.search.most)
        flight = fill(batch, self.queue, most=len(self.queue))
        rows = len(flight.entries)
        if self.queue:
            self._full = rows
        elif rows >= self._full:  # rows are smaller by now
            self._full = rows + max(1, rows // 4)
        return flight

    def _take_back(self) -> None:
        self._take_back_next()
        if self._flight is not None:
            self.queue.extendleft(reversed(self._flight.entries))
            self._flight = None

    def _take_back_next(self) -> None:
        if self._next is not None:
            self.queue.extendleft(reversed(self._next.entries))
            self._next = None
