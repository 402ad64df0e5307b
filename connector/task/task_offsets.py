"""
The offsets of one task: read before its sessions open, written every few seconds and at the end.

Trouble with the topic never stops rows. It is told, and the record that is there stays as it is: it says less
than what is covered, never more.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import anyio
import structlog

from connector.backoff import Backoff
from connector.errors import ConfigError, ConnectorError, DataError, RetriableError
from connector.kafka import NotAllowed, TopicMissing
from connector.publish.offsets import OffsetRecord, bounded
from connector.task.offset_store import OffsetsObserver, OffsetsState, OffsetStore
from connector.task.offset_tracker import OffsetTracker

log = structlog.get_logger(__name__)

WRITE_EVERY = 5.0
"""Seconds between two writes; a process that is killed says so much less than was covered, at worst."""

WAIT_AT_MOST = 60.0
"""Seconds that sessions wait for what is stored, once the topics of their rows are ready."""

FLUSH_WITHIN = 5.0
"""Seconds for the last write."""

RETRY_MOST = 5.0
"""Seconds between two tries of reading, at most, as long as sessions wait for it."""

RETRY_LATER = 30.0
"""Seconds between two tries once they do not."""


class TaskOffsets:
    """
    Those of task ``number``, in the partition of that number.

    ``known`` is set once they were read, ``settled`` once it is clear whether that will be soon. ``state``
    and ``error`` say how it stands, ``sleep`` waits for seconds, ``wall`` returns seconds since 1970.
    """

    def __init__(
        self,
        number: int,
        store: OffsetStore,
        observer: OffsetsObserver,
        *,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._number = number
        self._store = store
        self._observer = observer
        self._sleep = sleep
        self.wall = wall
        self._records: dict[str, OffsetRecord] = {}
        self._written: dict[str, OffsetRecord] = {}
        self._sources: dict[str, list[OffsetTracker]] = {}
        self._progress: tuple[int, int] | None = None
        self._goes_on_without = False
        self._writing = anyio.Lock()
        self._said: str | None = None
        self.state: OffsetsState = "reading"
        self.error: str | None = None
        self.known = anyio.Event()
        self.settled = anyio.Event()

    def explain(self) -> str:
        """Say what is waited for."""
        if self.error is not None:
            return self.error
        if self._progress is None:
            return f"offsets are waited for: topic {self._store.name} is looked at"
        read, total = self._progress
        return f"offsets are read from topic {self._store.name}: {read} of {total}"

    def record(self, name: str) -> OffsetRecord | None:
        """Return what is known of subscription ``name``: what was read, or what was said since."""
        return self._records.get(name)

    def go_on_without(self) -> None:
        """Sessions open now. What is found out later must not stop the rows that come."""
        if not self._goes_on_without:
            self._goes_on_without = True
            if self.state == "reading":
                self._fail(self.explain())

    @contextmanager
    def following(self, name: str, coverage: OffsetTracker) -> Iterator[None]:
        """Write what ``coverage`` says of subscription ``name`` until the body ends, and then the last."""
        sources = self._sources.setdefault(name, [])
        sources.append(coverage)
        try:
            yield
        finally:
            self._note(name)
            sources.remove(coverage)
            if not sources:
                del self._sources[name]

    async def run(self) -> None:
        """
        Read, then write until cancelled.

        Raises:
            ConfigError: The topic cannot be used, and no session waits no more for that to be known.
        """
        await self._read()
        while True:
            await self._sleep(WRITE_EVERY)
            await self._write()

    async def flush(self) -> None:
        """Write what has changed, within a few seconds; what fails is told in the log."""
        if self.known.is_set():
            with anyio.move_on_after(FLUSH_WITHIN) as deadline:
                await self._write()
            if deadline.cancelled_caught:
                self._fail(f"topic {self._store.name} did not acknowledge within {FLUSH_WITHIN:g} s")

    # Reading

    async def _read(self) -> None:
        backoff = Backoff(first=1.0, cap=RETRY_MOST)
        while True:
            try:
                stored = await self._store.read(self._number, progress=self._note_progress)
                break
            except ConfigError as error:
                if not self._goes_on_without:
                    raise
                self._fail(str(error))
            except (TopicMissing, NotAllowed) as error:  # it takes somebody who changes something
                self._fail(self._told(error))
                self.settled.set()
            except RetriableError as error:
                self.error = str(error)
                if self.state != "reading":
                    self._fail(self.error)
            await self._sleep(RETRY_LATER if self._goes_on_without else backoff.next(at_least=0.5))
        for name, offset in stored.offsets.items():
            self._records[name] = self._written[name] = offset.record
        self._recovered()
        self.known.set()
        self.settled.set()
        log.info(
            "offsets are read", topic=self._store.name, task=self._number, subscriptions=len(self._records)
        )

    def _note_progress(self, read: int, total: int) -> None:
        self._progress = (read, total)

    # Writing

    async def _write(self) -> None:
        """Write what has changed. Only one write is under way, so that nothing piles up."""
        async with self._writing:
            for name in list(self._sources):
                self._note(name)
            changed = {
                name: record for name, record in self._records.items() if record != self._written.get(name)
            }
            if not changed:
                return
            try:
                await self._store.write(self._number, dict(changed))
            except (RetriableError, DataError) as error:
                self._observer.offsets_failed()
                self._fail(self._told(error))
                return
            self._written |= changed
            self._recovered()
        self._observer.offsets_written(len(changed))
        for name in self._sources.keys() & changed.keys():  # the others' metrics are forgotten
            self._observer.covered(name, changed[name].covered_until / 1000)

    def _note(self, name: str) -> None:
        """
        Keep what is to be said of subscription ``name``. While a changed one delivers what it received, its
        successor follows already: what counts is the earlier.
        """
        records = [record for source in self._sources[name] if (record := source.record()) is not None]
        if not records or not self.known.is_set():
            return
        self._records[name] = OffsetRecord(
            covered_until=min(record.covered_until for record in records),
            open=bounded(one for record in records for one in record.open),
        )

    # How it stands

    def _told(self, error: ConnectorError) -> str:
        if isinstance(error, TopicMissing):
            return (
                f"topic {self._store.name} does not exist: create it with cleanup.policy=compact and a "
                "partition for each task, or set topics.create to true, or offsets to false"
            )
        return str(error)

    def _fail(self, error: str) -> None:
        if (self.state, error) != ("not_kept", self._said):
            log.warning("offsets are not kept", topic=self._store.name, task=self._number, error=error)
        self.state, self.error, self._said = "not_kept", error, error

    def _recovered(self) -> None:
        if self.state == "not_kept":
            log.info("offsets are kept again", topic=self._store.name, task=self._number)
        self.state, self.error = "kept", None
