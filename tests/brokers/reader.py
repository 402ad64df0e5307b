"""What a topic holds, as a plain consumer sees it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

import anyio
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from tests.brokers.admin import partitions_of

Isolation = Literal["read_committed", "read_uncommitted"]
ISOLATIONS: tuple[Isolation, ...] = ("read_committed", "read_uncommitted")
POLL_MS = 100
PATIENCE = 20.0
"""Seconds without a record after which another consumer begins anew: it is about the topic, not about one."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One record as read back. `timestamp_ms` is in milliseconds since the epoch."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: tuple[tuple[str, bytes], ...]


async def read_all(
    bootstrap_servers: str,
    topic: str,
    *,
    until: int | Callable[[Sequence[Record]], bool] | None = None,
    isolation: Isolation = "read_committed",
    deadline: float = 90.0,
) -> list[Record]:
    """
    Read a topic from its beginning, in order within each partition; wait for one that does not exist yet.

    Args:
        until: Enough is this many records, or when this says so of those read; None: what is there now.
        isolation: A read-committed reader sees neither aborted nor open transactions.
        deadline: Seconds.

    Raises:
        TimeoutError: It was not enough in time. The message tells how many came, and where the topic ends.
    """
    records: list[Record] = []
    try:
        with anyio.fail_after(deadline):
            while True:
                records.clear()
                async with _reader(bootstrap_servers, topic, isolation) as (consumer, partitions):
                    if await _read(consumer, partitions, records, until):
                        return records
    except TimeoutError:
        ends = await _ends_as_told(bootstrap_servers, topic)
        raise TimeoutError(f"{len(records)} records of {topic} came within {deadline} s; {ends}") from None


async def _ends_as_told(bootstrap_servers: str, topic: str) -> str:
    """Where the topic ends for either reader, in words: transactions may be open, brokers away."""
    told = []
    for isolation in ISOLATIONS:
        try:
            ends: object = await end_offsets(bootstrap_servers, topic, isolation=isolation, deadline=10.0)
        except (TimeoutError, KafkaError) as error:
            ends = repr(error)
        told.append(f"{isolation}: {ends}")
    return ", ".join(told)


async def until_decided(bootstrap_servers: str, topic: str, *, deadline: float = 60.0) -> None:
    """
    Wait until a read-committed reader sees all that there is.

    A commit or an abort is answered as soon as the coordinator has written it down. The markers that tell
    readers of it come to the partitions after that.

    Raises:
        TimeoutError: A transaction is still open after ``deadline`` seconds.
    """
    with anyio.fail_after(deadline):
        while True:
            ends = await end_offsets(bootstrap_servers, topic)
            if await end_offsets(bootstrap_servers, topic, isolation="read_committed") == ends:
                return
            await anyio.sleep(0.05)


async def end_offsets(
    bootstrap_servers: str, topic: str, *, isolation: Isolation = "read_uncommitted", deadline: float = 90.0
) -> dict[int, int]:
    """
    The offset after the last record of each partition; for a read-committed reader the last stable offset.
    Waits for a topic that does not exist yet.

    Raises:
        TimeoutError: `deadline` (seconds) passed.
    """
    with anyio.fail_after(deadline):
        async with _reader(bootstrap_servers, topic, isolation) as (consumer, partitions):
            ends = await consumer.end_offsets(partitions)
    return {partition.partition: int(end) for partition, end in ends.items()}


@asynccontextmanager
async def _reader(
    bootstrap_servers: str, topic: str, isolation: Isolation
) -> AsyncIterator[tuple[AIOKafkaConsumer, list[TopicPartition]]]:
    partitions = [TopicPartition(topic, number) for number in await partitions_of(bootstrap_servers, topic)]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers,
        isolation_level=isolation,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    try:
        await consumer.start()
        consumer.assign(partitions)
        yield consumer, partitions
    finally:
        with anyio.move_on_after(5.0, shield=True):
            await consumer.stop()


async def _read(
    consumer: AIOKafkaConsumer,
    partitions: list[TopicPartition],
    records: list[Record],
    until: int | Callable[[Sequence[Record]], bool] | None,
) -> bool:
    """Read until it is enough; false where nothing came for long, as with brokers that were harmed."""
    ends = await consumer.end_offsets(partitions)
    count, since = 0, anyio.current_time()
    while not await _is_enough(until, records, consumer, ends):
        await _poll(consumer, records)
        if len(records) > count:
            count, since = len(records), anyio.current_time()
        elif anyio.current_time() - since > PATIENCE:
            return False
    return True


async def _is_enough(
    until: int | Callable[[Sequence[Record]], bool] | None,
    records: Sequence[Record],
    consumer: AIOKafkaConsumer,
    ends: dict[TopicPartition, int],
) -> bool:
    if until is None:
        # Markers of transactions have offsets too, and are never handed out: the position passes them.
        return all([await consumer.position(partition) >= end for partition, end in ends.items()])
    return len(records) >= until if isinstance(until, int) else until(records)


async def _poll(consumer: AIOKafkaConsumer, records: list[Record]) -> None:
    for messages in (await consumer.getmany(timeout_ms=POLL_MS)).values():
        records.extend(
            Record(
                partition=message.partition,
                offset=message.offset,
                key=message.key,
                value=message.value,
                timestamp_ms=message.timestamp,
                headers=tuple(message.headers),
            )
            for message in messages
        )
