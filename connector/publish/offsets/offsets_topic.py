"""
The topic ``<name>.offsets``: made or checked, read, and written to.

It has a producer of its own: one that brokers refuse for a right on this topic cannot go on, and rows must.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import anyio

from connector.errors import ConnectorError
from connector.kafka import (
    BrokerUnreachable,
    KafkaSettings,
    NotAllowed,
    Producer,
    Progress,
    TopicMissing,
    create_topics,
    read_topic,
    topic_configs,
    write_keyed,
)
from connector.kafka.diagnosis import require_broker
from connector.publish.offsets.record import OffsetRecord, encode_key, encode_value
from connector.publish.offsets.stored import StoredOffsets
from connector.publish.offsets.verdict import (
    OffsetsRefused,
    new_topic,
    newer_format,
    wrong_partitions,
    wrong_policy,
)
from connector.records.topics import offsets_topic

READ_WITHIN = 120.0
"""Seconds for reading the topic; it holds little, if not compacted for long some hundred megabytes."""

WRITE_WITHIN = 15.0
"""Seconds for writing what changed, with a new producer where that is needed."""

APPEARS_WITHIN = 10.0
"""Seconds after its creation in which brokers may still say that there is no such topic."""

_READERS = 4
"""Partitions that are read at the same time."""


class OffsetsTopic:
    """
    That of ``connector``, with a partition for each of ``tasks``. ``replication_factor`` is that of a topic
    that is created, ``None`` where none is. Leave its context to close it.
    """

    def __init__(
        self, kafka: KafkaSettings, *, connector: str, tasks: int, replication_factor: int | None
    ) -> None:
        self._kafka = kafka
        self._connector = connector
        self._tasks = tasks
        self._replication_factor = replication_factor
        self._producer: Producer | None = None
        self._is_right = False
        self._created_at: float | None = None
        self._preparing = anyio.Lock()
        self._writing = anyio.Lock()
        self._reading = anyio.CapacityLimiter(_READERS)
        self.name = offsets_topic(connector)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._discard()

    def reconfigure(self, kafka: KafkaSettings) -> None:
        """Use ``kafka`` for whatever begins from now on."""
        self._kafka = kafka

    async def read(
        self, partition: int | None = None, *, progress: Progress = lambda read, of: None
    ) -> StoredOffsets:
        """
        Return what is in ``partition``, or in all of them; the topic is created where it may be.

        Raises:
            OffsetsRefused: It is no topic for offsets of this connector, or a newer program's.
            TopicMissing: It is not there, and not to be created.
            NotAllowed: A right is missing.
            BrokerUnreachable: It was not read in time.
        """
        await self._prepare()
        stored = StoredOffsets(self._connector)
        partitions = None if partition is None else [partition]
        async with self._reading:
            try:
                found = await self._read(stored, partitions, progress)
            except TopicMissing:
                self._is_right = False
                # Where the topic is there, this partition is not.
                found = await self._read(StoredOffsets(self._connector), [], progress)
                self._require(wrong_partitions(found, self._tasks))
                raise
        self._require(wrong_partitions(found, self._tasks))
        if stored.newer is not None:
            self._require(newer_format(stored.newer))
        stored.warn(self.name)
        return stored

    async def _read(self, stored: StoredOffsets, partitions: list[int] | None, progress: Progress) -> int:
        while True:
            try:
                return await read_topic(
                    self._kafka,
                    self.name,
                    stored.take,
                    partitions=partitions,
                    timeout=READ_WITHIN,
                    progress=progress,
                )
            except TopicMissing:
                # Whoever is asked may not have heard yet of what another broker just created.
                if self._created_at is None or time.monotonic() - self._created_at > APPEARS_WITHIN:
                    raise
                await anyio.sleep(0.2)

    async def write(self, partition: int, records: Mapping[str, OffsetRecord | None]) -> None:
        """
        Write the record of each subscription to ``partition``, ``None``: a tombstone; return once the
        brokers acknowledged them. Cancelled or failed, some may be written.

        Raises:
            ConnectorError: What `Producer.start` and `Producer.write` raise; or it was not done in time.
        """
        values = {
            encode_key(self._connector, name): None if record is None else encode_value(record)
            for name, record in records.items()
        }
        async with self._writing:
            is_done = False
            try:
                with anyio.fail_after(WRITE_WITHIN):
                    producer = await self._started()
                    await write_keyed(producer, self.name, partition, values)
                is_done = True
            except TimeoutError:
                raise BrokerUnreachable(
                    f"offsets were not acknowledged within {WRITE_WITHIN:g} s by topic {self.name}"
                ) from None
            finally:
                if not is_done:  # no producer outlives a failure
                    await self._discard()

    async def _started(self) -> Producer:
        if self._producer is not None and not self._producer.is_of(self._kafka):
            await self._discard()
        if self._producer is None:
            self._producer = await Producer.start(self._kafka)
        await self._producer.renew()
        return self._producer

    async def _discard(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.discard()

    async def _prepare(self) -> None:
        """Once for all tasks: create it where that is wanted, and look at its settings where it was there."""
        async with self._preparing:
            if self._is_right:
                return
            await require_broker(self._kafka)
            if self._replication_factor is not None:
                await self._create(self._replication_factor)
            if self._created_at is None:
                await self._check_policy()
            self._is_right = True

    async def _create(self, replication_factor: int) -> None:
        refusal: ConnectorError | None = None
        for tuned in (True, False):
            new = new_topic(self._tasks, replication_factor, tuned=tuned)
            creation = await create_topics(self._kafka, [self.name], new)
            if self.name in creation.created:
                self._created_at = time.monotonic()
            refusal = creation.refused.get(self.name)
            if refusal is None or isinstance(refusal, NotAllowed):
                break
        # Who may not create it may still use one that is there.
        if refusal is not None and not isinstance(refusal, NotAllowed):
            raise BrokerUnreachable(str(refusal))

    async def _check_policy(self) -> None:
        """Who may not see the settings is not stopped for it; `check` says so."""
        try:
            configs = await topic_configs(self._kafka, [self.name])
        except BrokerUnreachable:
            return
        self._require(wrong_policy(configs.get(self.name, {})))

    def _require(self, verdict: tuple[str, str] | None) -> None:
        if verdict is not None:
            self._is_right = False
            raise OffsetsRefused(self.name, *verdict)
