"""A task's offsets: read before sessions open, written when they have changed, never in the way of rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import pytest
from structlog.testing import capture_logs

from connector.errors import ConnectorError
from connector.kafka import BrokerUnreachable, NotAllowed, TopicMissing
from connector.publish.offsets import OffsetRecord, OffsetsRefused, OpenRange, StoredOffset, StoredOffsets
from connector.task.gap_tracker import GapTracker
from connector.task.offset_tracker import Clocks, OffsetTracker
from connector.task.task_offsets import FLUSH_WITHIN, WRITE_EVERY, TaskOffsets
from tests.unit.task.fakes import Told


@dataclass
class FakeStore:
    """
    Satisfies `OffsetStore`: records in memory. ``trouble`` is raised by whatever is asked; with ``hangs`` it
    never answers.
    """

    name: str = "c.offsets"
    records: dict[str, OffsetRecord] = field(default_factory=dict)
    trouble: ConnectorError | None = None
    hangs: bool = False
    reads: int = 0
    writes: list[Mapping[str, OffsetRecord | None]] = field(default_factory=list)

    async def read(
        self, partition: int | None = None, *, progress: Callable[[int, int], None] = lambda read, of: None
    ) -> StoredOffsets:
        self.reads += 1
        progress(0, len(self.records))
        await self._trouble()
        stored = StoredOffsets("c")
        for name, record in self.records.items():
            stored.offsets[name] = StoredOffset(partition=partition or 0, record=record, written_ms=1)
        return stored

    async def write(self, partition: int, records: Mapping[str, OffsetRecord | None]) -> None:
        assert partition == 3
        await self._trouble()
        self.writes.append(records)

    async def _trouble(self) -> None:
        if self.hangs:
            await anyio.sleep_forever()
        if self.trouble is not None:
            raise self.trouble


class Counted:
    """Satisfies `OffsetsObserver`."""

    def __init__(self) -> None:
        self.written = self.failures = 0
        self.covers: dict[str, float] = {}

    def offsets_written(self, records: int) -> None:
        self.written += records

    def offsets_failed(self) -> None:
        self.failures += 1

    def covered(self, subscription: str, until: float) -> None:
        self.covers[subscription] = until


class Source:
    """A subscription that says what it is told to."""

    def __init__(self, covered_until: int | None = None, *ranges: OpenRange) -> None:
        self.says = None if covered_until is None else OffsetRecord(covered_until=covered_until, open=ranges)

    def coverage(self) -> OffsetTracker:
        source = self

        class Saying(OffsetTracker):
            def record(self) -> OffsetRecord | None:
                return source.says

        gaps = GapTracker("s", Told(), streams=1)
        return Saying(gaps, oldest=lambda: None, heard=lambda: None, clocks=Clocks())


@asynccontextmanager
async def running(store: FakeStore) -> AsyncIterator[tuple[TaskOffsets, Counted]]:
    counted = Counted()
    offsets = TaskOffsets(3, store, counted)
    async with anyio.create_task_group() as group:
        group.start_soon(offsets.run)
        yield offsets, counted
        group.cancel_scope.cancel()


def record(covered_until: int) -> OffsetRecord:
    return OffsetRecord(covered_until=covered_until)


async def test_what_changed_is_written_every_few_seconds_and_nothing_else() -> None:
    store, source, other = FakeStore(records={"s": record(1)}), Source(5), Source(7)
    async with running(store) as (offsets, counted):
        with offsets.following("s", source.coverage()), offsets.following("t", other.coverage()):
            await anyio.sleep(WRITE_EVERY * 3.5)
            source.says = record(9)
            await anyio.sleep(WRITE_EVERY)
    assert store.writes == [{"s": record(5), "t": record(7)}, {"s": record(9)}]
    assert (offsets.state, offsets.error) == ("kept", None)
    assert (counted.written, counted.covers) == (3, {"s": 0.009, "t": 0.007})


async def test_what_was_read_is_known_and_kept_where_nobody_says_more() -> None:
    store = FakeStore(records={"s": record(1), "gone": record(2)})
    async with running(store) as (offsets, _):
        await offsets.known.wait()
        assert (offsets.record("s"), offsets.record("gone"), offsets.record("new")) == (
            record(1),
            record(2),
            None,
        )
        with offsets.following("s", Source().coverage()):
            await anyio.sleep(WRITE_EVERY * 2)
    assert store.writes == []


async def test_the_last_word_is_written_at_the_end() -> None:
    store, source = FakeStore(), Source(5)
    async with running(store) as (offsets, _):
        await offsets.known.wait()
        with offsets.following("s", source.coverage()):
            source.says = record(6)
        source.says = record(7)
        await offsets.flush()
        assert store.writes == [{"s": record(6)}]
        assert offsets.record("s") == record(6)


async def test_the_end_does_not_wait_for_brokers_that_stand_still() -> None:
    store = FakeStore()
    async with running(store) as (offsets, _):
        await offsets.known.wait()
        with offsets.following("s", Source(5).coverage()):
            pass
        store.hangs = True
        before = anyio.current_time()
        with capture_logs() as lines:
            await offsets.flush()
        assert anyio.current_time() - before < FLUSH_WITHIN + 1
    assert [line["event"] for line in lines] == ["offsets are not kept"]


async def test_while_one_delivers_the_rest_and_another_follows_the_earlier_counts() -> None:
    store, old, new = FakeStore(), Source(5, OpenRange(since=1, until=2)), Source(9, OpenRange(since=6))
    async with running(store) as (offsets, _):
        with offsets.following("s", new.coverage()):
            with offsets.following("s", old.coverage()):
                await anyio.sleep(WRITE_EVERY + 1)
            await anyio.sleep(WRITE_EVERY)
    both = OffsetRecord(covered_until=5, open=(OpenRange(since=1, until=2), OpenRange(since=6)))
    assert store.writes == [{"s": both}, {"s": OffsetRecord(covered_until=9, open=(OpenRange(since=6),))}]


async def test_trouble_with_the_topic_is_told_once_and_passes() -> None:
    store, source = FakeStore(), Source(5)
    with capture_logs() as lines:
        async with running(store) as (offsets, counted):
            with offsets.following("s", source.coverage()):
                await anyio.sleep(WRITE_EVERY * 1.5)
                store.trouble = NotAllowed("to write to topic c.offsets")
                source.says = record(6)
                await anyio.sleep(WRITE_EVERY * 3)
                assert (offsets.state, counted.failures) == ("not_kept", 3)
                assert "c.offsets" in (offsets.error or "")
                source.says = record(8)
                store.trouble = None
                await anyio.sleep(WRITE_EVERY)
                assert (offsets.state, offsets.error) == ("kept", None)
    assert store.writes == [{"s": record(5)}, {"s": record(8)}]
    told = [line["event"] for line in lines if line["event"].startswith("offsets are")]
    assert told == ["offsets are read", "offsets are not kept", "offsets are kept again"]


async def test_brokers_that_are_away_are_waited_for_without_a_word() -> None:
    store = FakeStore(trouble=BrokerUnreachable("nobody answers"))
    with capture_logs() as lines:
        async with running(store) as (offsets, _):
            await anyio.sleep(30)
            assert (offsets.state, offsets.explain()) == ("reading", "nobody answers")
            assert not offsets.settled.is_set()
            store.trouble = None
            with anyio.fail_after(10):
                await offsets.known.wait()
            assert offsets.settled.is_set()
    assert [line["event"] for line in lines] == ["offsets are read"]


@pytest.mark.parametrize("trouble", [TopicMissing("c.offsets"), NotAllowed("to read topic c.offsets")])
async def test_what_takes_somebody_who_changes_something_holds_nobody_up(trouble: ConnectorError) -> None:
    store = FakeStore(trouble=trouble, records={"s": record(4)})
    with capture_logs() as lines:
        async with running(store) as (offsets, _):
            with anyio.fail_after(1):
                await offsets.settled.wait()
            offsets.go_on_without()
            with offsets.following("s", Source(9).coverage()):
                await anyio.sleep(600)
                assert (offsets.state, store.writes) == ("not_kept", [])
                assert store.reads < 30
                store.trouble = None
                with anyio.fail_after(60):
                    await offsets.known.wait()
                assert offsets.record("s") == record(4)
                await anyio.sleep(WRITE_EVERY * 2)
    assert store.writes == [{"s": record(9)}]
    assert [line["event"] for line in lines].count("offsets are not kept") == 1


async def test_nothing_is_written_over_what_could_not_be_read() -> None:
    store = FakeStore(trouble=NotAllowed("to read topic c.offsets"))
    async with running(store) as (offsets, _):
        with offsets.following("s", Source(9).coverage()):
            await anyio.sleep(100)
        store.trouble = None
        await offsets.flush()
    assert store.writes == []


async def test_a_topic_that_cannot_be_used_ends_the_start() -> None:
    store = FakeStore(trouble=OffsetsRefused("c.offsets", "has cleanup.policy=delete", "set it"))
    with pytest.raises(OffsetsRefused):
        await TaskOffsets(3, store, Counted()).run()


async def test_found_out_later_it_ends_nothing() -> None:
    store = FakeStore(trouble=TopicMissing("c.offsets"))
    async with running(store) as (offsets, _):
        await offsets.settled.wait()
        offsets.go_on_without()
        store.trouble = OffsetsRefused("c.offsets", "has cleanup.policy=delete", "set it")
        await anyio.sleep(100)
        assert offsets.state == "not_kept"
        assert "cleanup.policy=delete" in (offsets.error or "")
