"""Reading a topic to its end, once: what is in it now, and nothing that comes later."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka import errors as kafka_errors

from connector.kafka.errors import BrokerUnreachable, NotAllowed, TopicMissing
from connector.kafka.internals import (
    ask_for_topic,
    client_of,
    closing_bootstrap,
    create_none_by_asking,
    pace_metadata,
)
from connector.kafka.options import client_options, ssl_context
from connector.kafka.settings import KafkaSettings

POLL_MS = 500
"""Milliseconds that brokers may take before it is looked again at how far the reading came."""

FETCH_BYTES = 256 * 1024
"""Bytes of a partition that are fetched at a time; a larger batch comes alone."""

CLOSE_TIMEOUT = 2.0
"""Seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredRecord:
    """
    A record as it lies in ``partition``, written at ``timestamp_ms`` (unix). ``value`` of ``None`` is a
    tombstone: the key is to be forgotten.
    """

    partition: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int


Progress = Callable[[int, int], None]
"""Called with how many offsets are read, and how many there are to read."""


async def read_topic(
    settings: KafkaSettings,
    topic: str,
    take: Callable[[StoredRecord], None],
    *,
    partitions: Collection[int] | None = None,
    timeout: float,
    progress: Progress = lambda read, of: None,
) -> int:
    """
    Hand each committed record of ``topic`` to ``take``, those of one partition in their order, up to where
    the partition ended when it was looked at. Return how many partitions the topic has.

    ``partitions`` of ``None``: all. Nothing of what was read is kept here.

    Raises:
        TopicMissing: There is no such topic, or not all of ``partitions``.
        NotAllowed: We may not describe or read it.
        BrokerUnreachable: It was not read to its end within ``timeout`` seconds, or cannot be.
    """
    async with _consumer(settings, topic, timeout) as consumer:
        known = await ask_for_topic(client_of(consumer), topic)
        wanted = known if partitions is None else frozenset(partitions)
        if not known or not wanted <= known:
            raise TopicMissing(topic)
        await _read(consumer, [TopicPartition(topic, number) for number in sorted(wanted)], take, progress)
    return len(known)


async def _read(
    consumer: Any, places: list[TopicPartition], take: Callable[[StoredRecord], None], progress: Progress
) -> None:
    starts, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
    # Read-committed, the end is where the first open transaction begins.
    left = {place: ends[place] for place in places if ends[place] > starts[place]}
    total = sum(ends[place] - starts[place] for place in places)
    progress(0, total)
    if not left:
        return
    consumer.assign(list(left))
    for place in left:
        consumer.seek(place, starts[place])
    while left:
        for records in (await consumer.getmany(*left, timeout_ms=POLL_MS)).values():
            for record in records:
                take(
                    StoredRecord(
                        partition=record.partition,
                        key=record.key,
                        value=record.value,
                        timestamp_ms=record.timestamp,
                    )
                )
        # A position also passes what is no record: compacted away, aborted, or a transaction's marker.
        positions = {place: await consumer.position(place) for place in left}
        for place in [place for place, position in positions.items() if position >= left[place]]:
            del left[place]
            consumer.pause(place)
        progress(total - sum(left[place] - positions[place] for place in left), total)


@asynccontextmanager
async def _consumer(settings: KafkaSettings, topic: str, timeout: float) -> AsyncIterator[Any]:
    """A started consumer without a group; nothing of it is left afterwards, however this ends."""
    context = await ssl_context(settings.security)
    consumer = AIOKafkaConsumer(
        **client_options(settings, context),
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCH_BYTES,
        retry_backoff_ms=round(settings.retry_backoff * 1000),
    )
    create_none_by_asking(client_of(consumer))
    pace_metadata(client_of(consumer), settings.retry_backoff)
    try:
        with anyio.fail_after(timeout):
            with closing_bootstrap(client_of(consumer)):
                await consumer.start()
            yield consumer
    except TimeoutError:
        raise BrokerUnreachable(
            f"topic {topic} was not read to its end within {timeout:g} s from {settings.bootstrap_servers}"
        ) from None
    except kafka_errors.TopicAuthorizationFailedError:
        raise NotAllowed(f"to read topic {topic}") from None
    except (kafka_errors.KafkaError, OSError, AttributeError, AssertionError) as error:
        raise BrokerUnreachable(
            f"topic {topic} cannot be read from {settings.bootstrap_servers} ({type(error).__name__})"
        ) from None
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(CLOSE_TIMEOUT):
            await consumer.stop()
