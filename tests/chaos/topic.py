"""What the topics hold at the end, as a read-committed consumer sees it."""

from __future__ import annotations

import json
from array import array
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from tests.brokers.admin import partitions_of
from tests.standins.ledger import Ledger
from tests.standins.rows import row_number

READ_WITHIN = 120.0


@dataclass(kw_only=True)
class Arrivals:
    """
    When each copy of each row was received, in unix seconds, by the row's number.

    ``altered`` counts records whose value is none of the row's forms, ``foreign`` those that are no rows.
    """

    received: dict[int, array[float]] = field(default_factory=dict)
    altered: int = 0
    foreign: int = 0


async def arrivals(bootstrap_servers: str, topic: str, ledger: Ledger) -> Arrivals:
    """
    Read a whole topic of rows.

    Raises:
        TimeoutError: It took longer than `READ_WITHIN`.
    """
    found = Arrivals()
    async for record in _records(bootstrap_servers, topic):
        value = record.value or b""
        number = row_number(value)
        if number is None:
            found.foreign += 1
            continue
        received = float(dict(record.headers)["received_at"]) / 1000
        found.received.setdefault(number, array("d")).append(received)
        if number < ledger.emitted and value not in ledger.exact(number):
            found.altered += 1
    return found


async def events(bootstrap_servers: str, topic: str) -> list[Mapping[str, Any]]:
    """Read a whole topic of events."""
    return [json.loads(record.value) async for record in _records(bootstrap_servers, topic)]


async def _records(bootstrap_servers: str, topic: str) -> AsyncIterator[ConsumerRecord]:
    numbers = await partitions_of(bootstrap_servers, topic)
    partitions = [TopicPartition(topic, number) for number in numbers]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    try:
        await consumer.start()
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        deadline = anyio.current_time() + READ_WITHIN
        while not all([await consumer.position(partition) >= end for partition, end in ends.items()]):
            if anyio.current_time() > deadline:
                raise TimeoutError(f"{topic} was not read within {READ_WITHIN:g} s")
            for messages in (await consumer.getmany(timeout_ms=100, max_records=2000)).values():
                for message in messages:
                    yield message
    finally:
        with anyio.move_on_after(5.0, shield=True):
            await consumer.stop()
