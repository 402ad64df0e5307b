"""Configuration → what the offsets commands do."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import anyio

from connector.config import LoadedConfig
from connector.errors import FatalError
from connector.publish.offsets import OffsetRecord, OffsetsTopic, StoredOffset, StoredOffsets
from connector.task import WRITE_EVERY, bucket
from connector.telemetry import Metrics, Redactor, TokenMetrics
from connector.wiring.kafka_access import KafkaAccess
from connector.wiring.secrets import learn

QUIET_FOR = 2 * WRITE_EVERY + 1.0
"""Seconds without a record after which no connector seems to run."""


class StillWritten(FatalError):
    """A connector that runs would write over what is changed."""

    def __init__(self, topic: str) -> None:
        super().__init__(
            f"a connector writes to topic {topic}: stop it, else it writes over what is changed here"
        )


class OffsetsDesk:
    """
    The offsets in ``topic`` as they were when they were last read. ``tasks`` is how many there are, and
    ``configured`` are the names of the subscriptions.
    """

    def __init__(
        self, store: OffsetsTopic, stored: StoredOffsets, *, tasks: int, configured: Sequence[str]
    ) -> None:
        self._store = store
        self._stored = stored
        self._tasks = tasks
        self._configured = tuple(configured)

    @property
    def topic(self) -> str:
        """Its name."""
        return self._store.name

    @property
    def offsets(self) -> Mapping[str, StoredOffset]:
        """What is stored, by the name of the subscription."""
        return self._stored.offsets

    @property
    def names(self) -> tuple[str, ...]:
        """Subscriptions that are configured, and those that only their offset is left of."""
        return (*self._configured, *sorted(set(self.offsets) - set(self._configured)))

    def is_configured(self, name: str) -> bool:
        """Whether the configuration has it."""
        return name in self._configured

    def task_of(self, name: str) -> int:
        """Return the task that it belongs to."""
        return bucket(name, self._tasks)

    async def reset(self, names: Sequence[str], until_ms: int) -> None:
        """
        Let ``names`` be covered until then (unix ms), without an open range.

        Raises:
            StillWritten: A connector runs.
            ConnectorError: See `OffsetsTopic.write`.
        """
        await self._write(dict.fromkeys(names, OffsetRecord(covered_until=until_ms)))

    async def delete(self, names: Sequence[str]) -> None:
        """Forget the offsets of ``names``; raises what `reset` does."""
        await self._write(dict.fromkeys((name for name in names if name in self.offsets), None))

    async def _write(self, records: Mapping[str, OffsetRecord | None]) -> None:
        await self._require_quiet()
        for number in range(self._tasks):
            # Where the task is, and where a record was found that lies elsewhere.
            of_task = {
                name: record
                for name, record in records.items()
                if number == self.task_of(name)
                or (name in self.offsets and number == self.offsets[name].partition)
            }
            if of_task:
                await self._store.write(number, of_task)
        self._stored = await self._store.read()

    async def _require_quiet(self) -> None:
        """A record that is young may be the last one of a connector that has just stopped."""
        before = self._stored.last_written_ms
        age = time.time() - before / 1000
        if age < QUIET_FOR:
            await anyio.sleep(min(QUIET_FOR - max(age, 0.0), QUIET_FOR))
        self._stored = await self._store.read()
        if self._stored.last_written_ms != before:
            raise StillWritten(self.topic)


@asynccontextmanager
async def open_desk(loaded: LoadedConfig, redactor: Redactor) -> AsyncIterator[OffsetsDesk]:
    """
    Read the offsets of ``loaded``; the topic is not created for it.

    Raises:
        ConnectorError: See `OffsetsTopic.read`.
    """
    config = loaded.config
    learn(loaded, redactor)
    async with AsyncExitStack() as stack:
        observer = TokenMetrics(Metrics(version="").kafka_token_requests, redactor)
        kafka = await KafkaAccess.open(loaded, stack, observer)
        topic = OffsetsTopic(
            kafka.settings, connector=config.name, tasks=config.tasks, replication_factor=None
        )
        store = await stack.enter_async_context(topic)
        group = await stack.enter_async_context(anyio.create_task_group())
        if kafka.keeper is not None:
            group.start_soon(kafka.keeper.run)
        configured = [section.name for section in config.subscriptions]
        try:
            yield OffsetsDesk(store, await store.read(), tasks=config.tasks, configured=configured)
        finally:
            group.cancel_scope.cancel()
