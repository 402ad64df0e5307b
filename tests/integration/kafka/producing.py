"""Producers as the connector makes them, and rows for them."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

START_DEADLINE = 90.0
STOP_DEADLINE = 10.0
TRANSACTION_TIMEOUT_MS = 15_000


@asynccontextmanager
async def idempotent_producer(bootstrap_servers: str, **options: object) -> AsyncIterator[AIOKafkaProducer]:
    """Started; stopped at the end, within a deadline that ends tests whose producer hangs."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers, acks="all", enable_idempotence=True, **options
    )
    try:
        with anyio.fail_after(START_DEADLINE):
            await producer.start()
        yield producer
    finally:
        with anyio.fail_after(STOP_DEADLINE, shield=True):
            await producer.stop()


def transactional_producer(
    bootstrap_servers: str, transactional_id: str, **options: object
) -> AbstractAsyncContextManager[AIOKafkaProducer]:
    """As idempotent_producer, with transactions."""
    timeout = {"transaction_timeout_ms": TRANSACTION_TIMEOUT_MS}
    return idempotent_producer(bootstrap_servers, transactional_id=transactional_id, **timeout | options)


def rows(count: int, size: int = 8) -> list[bytes]:
    """Numbered values of this many bytes."""
    return [b"%0*d" % (size, number) for number in range(count)]


def transaction_error(producer: AIOKafkaProducer) -> BaseException | None:
    """
    The error that a fenced producer keeps for the end of its transaction.

    Nobody can reach the end of it after that (see the tests), and asyncio complains of an error never read.
    """
    waiter = producer._txn_manager._transaction_waiter
    error: BaseException | None = waiter.exception() if waiter.done() else None
    return error


def batch_of(
    producer: AIOKafkaProducer, values: Iterable[bytes], timestamp_ms: int | None = None
) -> BatchBuilder:
    """A closed batch with these values; it must have room for all."""
    batch = producer.create_batch()
    for value in values:
        assert batch.append(key=None, value=value, timestamp=timestamp_ms) is not None, "the batch is full"
    batch.close()
    return batch
