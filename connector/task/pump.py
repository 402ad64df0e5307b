"""From the inbox to Kafka: extracts, waits for topics, keeps the ledger."""

from __future__ import annotations

import time

import structlog

from connector.errors import DataError
from connector.publish import Ledger, Publisher, Receipt
from connector.records.extract import Extracted, Extractor, Header
from connector.subscription import Holding, Inbox
from connector.task.receiver import Arrival
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
        publisher: Publisher,
        ledger: Ledger,
        holding: Holding,
        observer: SubscriptionObserver,
        headers: tuple[Header, ...],
        window: int,
    ) -> None:
        self._inbox = inbox
        self._extractor = extractor
        self._publisher = publisher
        self._ledger = ledger
        self._holding = holding
        self._observer = observer
        self._headers = headers
        self._window = window

    async def run(self) -> None:
        """Return once the inbox is closed and empty; what is with the publisher is in the ledger."""
        while (arrival := await self._inbox.get()) is not None:
            if self._ledger.held >= self._window:
                await self._ledger.below(self._window)
            extracted = self._extract(arrival)
            receipt = self._ledger.open(
                rows=extracted.count, size=arrival.size, received_at=arrival.received_at
            )
            receipt.event_ms = _last_event(extracted)
            for _, error in extracted.failed:
                receipt.given_up(error)
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

    def _extract(self, arrival: Arrival) -> Extracted:
        received = ("received_at", b"%d" % arrival.received_ms)
        return self._extractor.extract(arrival.rows, [*self._headers, received])

    def settled(self, receipt: Receipt) -> None:
        """A frame is through, and all before it."""
        self._holding.release(receipt.size)
        done = receipt.rows - len(receipt.errors)
        self._observer.acknowledged(done, time.monotonic() - receipt.received_at)
        if receipt.event_ms is not None:
            self._observer.event_lag(time.time() - receipt.event_ms / 1000)

    @staticmethod
    def reason(error: DataError) -> str:
        """Return the label of a row's failure."""
        return str(getattr(error, "reason", "invalid"))


def _last_event(extracted: Extracted) -> int | None:
    for rows in extracted.topics.values():
        if rows:
            return rows[-1][2]
    return None
