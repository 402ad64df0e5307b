"""From the inbox to Kafka: extracts, waits for topics, keeps the ledger."""

from __future__ import annotations

import time
from collections.abc import Sequence

import anyio
import anyio.lowlevel
import structlog

from connector.publish import Ledger, Receipt
from connector.records.bad import BadRecord
from connector.records.extract import Extracted, Extractor, Header, Headers
from connector.subscription import Inbox, MemoryShare
from connector.task.destination import Destination
from connector.task.receiver import Arrival, Receiver
from connector.task.status import SubscriptionObserver

log = structlog.get_logger(__name__)


class Pump:
    """
    One subscription's. At most ``window`` bytes are with the publisher at a time; the rest stays in the
    inbox as it was received.
    """

    def __init__(
        self,
        *,
        inbox: Inbox[Arrival],
        extractor: Extractor,
        publisher: Destination,
        ledger: Ledger,
        memory: MemoryShare,
        observer: SubscriptionObserver,
        headers: tuple[Header, ...],
        window: int,
    ) -> None:
        self._inbox = inbox
        self._extractor = extractor
        self._publisher = publisher
        self._ledger = ledger
        self._memory = memory
        self._observer = observer
        self._headers = headers
        self._window = window

    async def run(self) -> None:
        """Return once the inbox is closed and empty; what is with the publisher is in the ledger."""
        while True:
            await self._below_window()
            # From here to the ledger nothing waits: what is in neither of them counts as delivered.
            arrival = await self._inbox.get()
            if arrival is None:
                return
            if arrival.error is not None:
                self._give_up(arrival)
                continue
            extracted = self._extractor.extract(arrival.rows, self._headers_of(arrival))
            receipt = self._open(arrival)
            receipt.event_ms = _last_event(extracted)
            for record in extracted.failed:
                receipt.given_up(record)
            for name in extracted.topics:
                topic = self._publisher.topic(name)
                if not topic.ready.is_set():
                    await topic.ready.wait()
            replaced = self._publisher.add(extracted.topics, receipt, arrival.received_ms)
            if replaced or extracted.keys_missing or extracted.times_missing:
                self._observer.oddities(
                    keys_missing=extracted.keys_missing,
                    times_replaced=extracted.times_missing + replaced,
                )

    async def _below_window(self) -> None:
        if self._ledger.held >= self._window:
            await self._ledger.below(self._window)
            # What was acknowledged makes place for the next request: the sender's task takes two turns.
            await anyio.lowlevel.checkpoint()
            await anyio.lowlevel.checkpoint()

    def _give_up(self, arrival: Arrival) -> None:
        """Account for a frame that no rows can be read from."""
        assert arrival.error is not None
        (frame,) = arrival.rows
        record = BadRecord(
            error=arrival.error,
            stage=arrival.error.stage,
            worker=Receiver,
            value=frame,
            headers=self._headers_of(arrival),
        )
        self._open(arrival).given_up(record)

    def _open(self, arrival: Arrival) -> Receipt:
        rows = arrival.rows
        return self._ledger.open(
            rows=len(rows),
            size=arrival.size,
            received_at=arrival.received_at,
            values=rows,
            frames=arrival.frames,
        )

    def _headers_of(self, arrival: Arrival) -> Headers:
        return [*self._headers, ("received_at", b"%d" % arrival.received_ms)]

    def settled(self, receipts: Sequence[Receipt]) -> None:
        """These are through, and all before them."""
        self._memory.release(sum(receipt.size for receipt in receipts))
        now, wall = time.monotonic(), time.time()
        for receipt in receipts:
            done = receipt.rows - len(receipt.errors)
            self._observer.acknowledged(done, receipt.frames, now - receipt.received_at)
            if receipt.event_ms is not None:
                self._observer.event_lag(wall - receipt.event_ms / 1000, receipt.frames)


def _last_event(extracted: Extracted) -> int | None:
    for rows in extracted.topics.values():
        if rows:
            return rows[-1][2]
    return None
