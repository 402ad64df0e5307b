"""
One partition's rows, in order, on their way to the brokers.

A sender has at most one batch in flight. Meanwhile the next one grows, so batches are large under load and
carry one row without it; see `RequestScheduler` for how long a small one waits. A full one is put together
before its turn: far from the brokers, nothing should come between two requests. Rows belong to the sender
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
from connector.kafka import (
    BrokerUnreachable,
    ContentRefused,
    NotAllowed,
    ProducerBroken,
    QueueFull,
    TopicMissing,
)
from connector.publish.brokers import Writer
from connector.publish.entry import Entry
from connector.publish.epochs import KeptRows
from connector.publish.in_flight_batch import InFlightBatch, acknowledge, detach, fill
from connector.publish.known_limits import KnownLimits
from connector.publish.pauses import Pauses
from connector.publish.refused_batches import RefusedBatches
from connector.publish.request_scheduler import LARGE, RequestScheduler
from connector.publish.submitted_records import SubmittedRecords

RETRY = 0.5
"""Seconds before a batch that the producer did not take is offered again."""


@dataclass(slots=True, eq=False)
class PartitionSender:
    """
    Rows of ``partition`` of ``topic``; ``linger`` seconds are waited for more rows before a batch.

    Rows are put into ``queue``; `wake` sends them. As long as all is well batches are sent and acknowledged
    in callbacks of the loop, since waking a task takes longer; `run` sees to the rest. ``kept`` of ``None``:
    rows are durable once they are acknowledged; else they are kept there until their epoch ends.
    """

    topic: str
    partition: int
    limits: KnownLimits
    linger: float = 0.0
    kept: KeptRows | None = None
    pauses: Pauses = field(default_factory=Pauses)
    queue: deque[Entry] = field(default_factory=deque, init=False)
    rows_acknowledged: int = field(default=0, init=False)
    refusal: ProducerBroken | NotAllowed | None = field(default=None, init=False)
    """What brokers answered to the last batches instead of acknowledging one; `None` where they did."""
    refusals: int = field(default=0, init=False)
    _refused: RefusedBatches = field(init=False)
    _in_flight: InFlightBatch | None = field(default=None, init=False)
    _next: InFlightBatch | None = field(default=None, init=False)
    _output: tuple[Writer, RequestScheduler] | None = field(default=None, init=False)  # while it runs
    _is_scheduled: bool = field(default=False, init=False)
    _full: int = field(default=sys.maxsize, init=False)  # rows of the last batch that was full
    _trouble: anyio.Event = field(init=False, default_factory=anyio.Event)
    _failure: Exception | None = field(default=None, init=False)
    _backoff: Backoff = field(init=False, default_factory=lambda: Backoff(first=0.5, cap=60.0))
    _rests_until: float = field(default=0.0, init=False)
    _owes_since: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._refused = RefusedBatches(self.topic, self.partition, self.limits)

    def wake(self) -> None:
        """Send what is there, or get it ready."""
        if self._in_flight is None:
            if self.queue or self._next:
                self._schedule()
        elif (
            self._output and self._next is None and len(self.queue) >= self._full and not self._refused.search
        ):
            self._next = self._filled(self._output[0])

    def take_all(self) -> list[Entry]:
        """Give up every row, in order, to somebody else; the sender must not be running."""
        self.send_again()
        return self.drain()

    def drain(self) -> list[Entry]:
        """Give up the rows that wait, in order, but not what is kept; the sender must not be running."""
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
        batches = (self._in_flight, self._next)
        return len(self.queue) + sum(len(batch.entries) for batch in batches if batch)

    @property
    def waiting_since(self) -> float | None:
        """When the batch in flight was sent, as `anyio.current_time`; ``None`` without one."""
        return self._in_flight.started_at if self._in_flight else None

    @property
    def owes_since(self) -> float | None:
        """When rows were sent first that no producer's brokers acknowledged; ``None``: they owe nothing."""
        return self._owes_since if self.is_unproven else self.waiting_since

    @property
    def is_unproven(self) -> bool:
        """Whether rows were sent in vain, and none has been acknowledged since."""
        return self._owes_since is not None and self.held > 0

    def detach(self) -> set[SubmittedRecords]:
        """Have what waits keep nothing but itself; see `in_flight_batch.detach`."""
        entered = detach(self.queue)
        for batch in (self._in_flight, self._next):
            if batch is not None:
                rows = deque(batch.entries)
                entered |= detach(rows)
                batch.entries[:] = rows
        return entered

    @property
    def is_large(self) -> bool:
        """See `Sendable`: it is worth a request of its own, or no more would go in."""
        rows = len(self.queue)
        return rows >= LARGE or rows >= self._full

    async def run(self, producer: Writer, scheduler: RequestScheduler) -> ConnectorError:
        """
        Send until something is wrong, and return what. Cancelling gives rows back.

        After ``TopicMissing`` the same producer may be used again, after anything else it must not, and
        ``scheduler`` is closed: what is in flight may be acknowledged, and nothing more is sent.
        """
        self._trouble, self._failure = anyio.Event(), None
        try:
            await self.pauses.sleep(self._rests_until - anyio.current_time())
            self._output = producer, scheduler
            self.wake()
            while True:
                try:
                    await self._until_trouble()
                    is_taken = await self._write(producer, scheduler)
                except ContentRefused as error:
                    self._take_back_next()
                    outgoing, self._in_flight = self._in_flight, None
                    assert outgoing is not None
                    self._owes_since = None
                    self._refused.take(outgoing, error, self.queue)
                    if self.kept is not None:
                        self.kept.progressed()
                    return error
                except ConnectorError as error:
                    if isinstance(error, ProducerBroken | NotAllowed) and error.code is not None:
                        self.refusal, self.refusals = error, self.refusals + 1
                    self._take_back()
                    self._rests_until = anyio.current_time() + self._backoff.next(at_least=0.2)
                    return error
                if is_taken:
                    self._acknowledged()
        finally:
            self._output, self._is_scheduled = None, False
            self._take_back()

    # The ordinary way

    def _schedule(self) -> None:
        if self._output is None or self._is_scheduled:
            return
        self._is_scheduled = True
        _, scheduler = self._output
        if self.linger:
            asyncio.get_running_loop().call_later(self.linger, scheduler.schedule, self)
        else:
            scheduler.schedule(self)

    def send(self) -> None:
        """See `Sendable`. The scheduler of an earlier run may call, too: then it is sent a little early."""
        self._is_scheduled = False
        if self._output is None or self._in_flight or not (self._next or self.queue):
            return
        if self._output[1].closed or self._output[1].paused:
            return
        try:
            self._offer(self._output[0])
        except Exception as fault:  # to be raised where it ends the program
            self._fail(fault)

    def _offer(self, producer: Writer) -> None:
        outgoing = self._next or self._filled(producer)
        self._in_flight, self._next = outgoing, None
        outgoing.mark_sent()
        if not producer.offer(outgoing.batch, self.topic, self.partition, partial(self._answered, outgoing)):
            self._trouble.set()

    def _answered(self, outgoing: InFlightBatch, failure: ConnectorError | None) -> None:
        if outgoing is not self._in_flight:
            return  # it was taken back
        if failure is not None:
            self._fail(failure)
            return
        try:
            self._acknowledged()
        except Exception as fault:
            self._fail(fault)

    def _acknowledged(self) -> None:
        outgoing, self._in_flight = self._in_flight, None
        assert outgoing is not None
        self._backoff.reset()
        self._owes_since = None
        self.refusal, self.refusals = None, 0
        self.rows_acknowledged += len(outgoing.entries)
        if self.kept is None:
            acknowledge(outgoing.entries)
        else:
            self.kept.add(outgoing.entries)
        if self._refused.search:
            self._refused.dealt_with(len(outgoing.entries), acknowledged=True)
        if self._next or (self.is_large and not self.linger):
            self.send()
        elif self.queue:
            self._schedule()

    def _fail(self, failure: Exception) -> None:
        self._failure = failure
        if self._output is not None and not isinstance(failure, TopicMissing):
            self._output[1].closed = True  # at once: other senders may be answered before `run` wakes
        self._trouble.set()

    # Everything else

    async def _until_trouble(self) -> None:
        """Return once there is a batch that was not taken at once; raise what became of another."""
        await self._trouble.wait()
        self._trouble = anyio.Event()
        if self._failure is not None:
            raise self._failure

    async def _write(self, producer: Writer, scheduler: RequestScheduler) -> bool:
        """Hand over the batch in flight, as often as it takes; return false where sending was paused."""
        assert self._in_flight is not None
        while True:
            if scheduler.closed:  # it was not taken, so there is nothing to wait for
                self._take_back()
                await anyio.sleep_forever()
            if scheduler.paused:
                self._take_back()
                self._owes_since = None
                return False
            with suppress(QueueFull, BrokerUnreachable):
                await producer.write(self._in_flight.batch, self.topic, self.partition)
                return True
            await anyio.sleep(RETRY)

    def _filled(self, producer: Writer) -> InFlightBatch:
        batch = producer.new_batch(self.limits.cap)
        if self._refused.search:
            return fill(batch, self.queue, most=self._refused.search.most)
        outgoing = fill(batch, self.queue, most=len(self.queue))
        rows = len(outgoing.entries)
        if self.queue:
            self._full = rows
        elif rows >= self._full:  # rows are smaller by now
            self._full = rows + max(1, rows // 4)
        return outgoing

    def _take_back(self) -> None:
        self._take_back_next()
        if self._in_flight is not None:
            if self._owes_since is None:
                self._owes_since = self._in_flight.started_at
            self.queue.extendleft(reversed(self._in_flight.entries))
            self._in_flight = None

    def _take_back_next(self) -> None:
        if self._next is not None:
            self.queue.extendleft(reversed(self._next.entries))
            self._next = None
