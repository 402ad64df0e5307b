"""
Ending aiokafka's producer at once, whatever the brokers do.

Its own ``stop`` waits for ever on batches that no broker takes, leaves tasks behind when cut short, and
trips over its own bookkeeping when batches were failed before.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import anyio
import structlog
from aiokafka import errors as kafka_errors

from connector.kafka.internals import produce
from connector.kafka.request_size import RequestSize

log = structlog.get_logger(__name__)

DEADLINE = 1.0
"""Seconds for each step."""


class _PendingBatches(set[Any]):
    """Aiokafka removes a batch from those that are pending twice where it failed while queued again."""

    def remove(self, batch: Any) -> None:
        self.discard(batch)


class ProduceRequests:
    """
    The produce requests of a producer under way: aiokafka's sender does not end them with itself. ``size``
    bounds them.
    """

    def __init__(self, producer: Any, size: RequestSize) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._sender = producer._sender
        self._limits = produce.Limits(size)
        producer._sender._send_produce_req = self._tracked
        producer._message_accumulator._pending_batches = _PendingBatches()

    async def _tracked(self, node_id: Any, batches: Any) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await produce.send(self._sender, node_id, batches, self._limits)

    @property
    def refusals(self) -> produce.Refusals:
        """The error codes that brokers answered last."""
        return self._limits.refusals

    @property
    def waiting(self) -> str | None:
        """Say that a request has waited for an answer for long; ``None`` where none has."""
        return self._limits.waiting

    @property
    def throttled_for(self) -> float:
        """Seconds until every broker takes requests again; 0 where none is throttled."""
        return max(max(self._limits.throttled.values(), default=0.0) - time.monotonic(), 0.0)

    def is_throttled(self, node_id: Any) -> bool:
        """Whether the broker takes nothing for now."""
        return self._limits.is_throttled(node_id)

    async def cancel(self, sender: asyncio.Task[Any] | None) -> None:
        """Cancel ``sender``, which makes them, and then them; return once they are gone."""
        tasks = set(self._tasks)
        if sender is not None:
            tasks.add(sender)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=DEADLINE)


async def abort(producer: Any, requests: ProduceRequests) -> None:
    """Close ``producer``, an ``AIOKafkaProducer``, without sending; never raises, within seconds."""
    producer._closed = True  # by us, so that it does not complain of it
    with anyio.CancelScope(shield=True):
        await asyncio.sleep(0)  # a request made this very moment has begun then, and is known
        await requests.cancel(producer._sender.sender_task)
        _fail(producer._message_accumulator)
        with anyio.move_on_after(DEADLINE):
            await _close(producer.client)


def _fail(accumulator: Any) -> None:
    batches = [batch for queue in accumulator._batches.values() for batch in queue]
    batches += accumulator._pending_batches
    accumulator.fail_all(kafka_errors.ProducerClosed())
    for batch in batches:
        for future in (batch.future, batch._drain_waiter):
            if future.done() and not future.cancelled():
                future.exception()  # seen, so that nothing warns of it later


async def _close(client: Any) -> None:
    try:
        # A connection whose broker does not read would wait for what is still to be written.
        for connection in list(client._conns.values()):
            if connection._writer is not None:
                connection._writer.transport.abort()
        await client.close()
    except Exception as error:
        # Nothing of it is used any more, and what it says would hide why it was closed.
        log.debug("kafka client closed with an error", error=type(error).__name__)
