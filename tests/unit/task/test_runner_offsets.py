"""A subscription and its offset: what was missed while nobody ran is a gap, and what is said is true."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import pytest
from structlog.testing import capture_logs

from connector.kafka import BrokerUnreachable, TopicMissing
from connector.publish.offsets import OffsetRecord, OpenRange
from connector.subscription import MemoryBudget
from connector.task import Shared, State, SubscriptionRunner, Task
from connector.task.source_offset import ABSENCE
from connector.task.task_offsets import WAIT_AT_MOST, WRITE_EVERY, TaskOffsets
from tests.unit.publish.fakes import FakeBrokers
from tests.unit.task.fakes import Told
from tests.unit.task.scenario import Flow, Handler, brokers_with, publisher_on, quiet, settings_of, until
from tests.unit.task.test_gap_declared import Events
from tests.unit.task.test_task_offsets import Counted, FakeStore
from tests.unit.task.upstream import FakeUpstream, Peer

BEGAN = 1_700_000_000.0


class Bench:
    """One subscription with offsets, and all around it."""

    def __init__(
        self,
        handler: Handler,
        store: FakeStore,
        brokers: FakeBrokers,
        *,
        events: Events | None = None,
        **settings: Any,
    ) -> None:
        self.events = events
        self.upstream = FakeUpstream(handler)
        self.told = Told()
        self.store = store
        self.offsets = TaskOffsets(3, store, Counted(), wall=wall)
        self.publisher = publisher_on(brokers)
        self.settings = settings_of(**settings)
        self.shared = Shared(
            keeper=None,
            budget=MemoryBudget(10**9),
            connection=self.upstream,
            clock=anyio.current_time,
        )
        self.runner = self.another()

    def another(self) -> SubscriptionRunner:
        """One more of the same name, that does not run yet."""
        return SubscriptionRunner(
            self.settings,
            shared=self.shared,
            publisher=self.publisher,
            observer=self.told,
            events=self.events,
            offsets=self.offsets,
        )

    @property
    def state(self) -> State:
        return self.runner.status.state


@asynccontextmanager
async def followed(
    store: FakeStore, handler: Handler = quiet, *, brokers: FakeBrokers | None = None, **settings: Any
) -> AsyncIterator[Bench]:
    bench = Bench(handler, store, brokers or brokers_with("t"), **settings)
    async with anyio.create_task_group() as group:
        group.start_soon(bench.upstream.serve)
        group.start_soon(bench.publisher.run)
        group.start_soon(bench.offsets.run)
        group.start_soon(bench.runner.run)
        yield bench
        group.cancel_scope.cancel()


def wall() -> float:
    """Seconds since 1970 that jump as the loop's do."""
    return BEGAN + anyio.current_time()


def ago(seconds: float) -> int:
    return int((wall() - seconds) * 1000)


def gaps_in(lines: Any) -> list[tuple[int, str]]:
    return [(round(line["seconds"]), line["reason"]) for line in lines if line["event"] == "gap declared"]


async def test_without_a_record_nothing_was_promised() -> None:
    with capture_logs() as lines:
        async with followed(FakeStore()) as bench:
            await until(lambda: bench.state is State.LIVE)
    assert gaps_in(lines) == []
    assert bench.told.uncovered_seconds == 0


async def test_the_time_in_which_nobody_ran_is_a_gap() -> None:
    store = FakeStore(records={"s": OffsetRecord(covered_until=ago(100))})
    with capture_logs() as lines:
        async with followed(store) as bench:
            await until(lambda: bench.state is State.LIVE)
    ((seconds, reason),) = gaps_in(lines)
    assert reason == ABSENCE
    assert 100 <= seconds <= 130
    assert bench.told.gaps == ["unfilled"]
    assert round(bench.told.uncovered_seconds) == seconds


async def test_an_open_range_goes_on_with_its_reason_and_others_are_declared() -> None:
    ranges = (
        OpenRange(since=ago(500), until=ago(450), reason="closed"),
        OpenRange(since=ago(200), reason="unreachable"),
    )
    store = FakeStore(records={"s": OffsetRecord(covered_until=ago(200), open=ranges)})
    with capture_logs() as lines:
        async with followed(store) as bench:
            await until(lambda: bench.state is State.LIVE)
    (first, second) = gaps_in(lines)
    assert first == (50, "closed")
    assert second[1] == "unreachable"
    assert 200 <= second[0] <= 230


@pytest.mark.parametrize(("began", "goes_on"), [("stop", ABSENCE), ("unreachable", "unreachable")])
async def test_a_gap_whose_beginning_was_told_goes_on_by_its_id(began: str, goes_on: str) -> None:
    record = OffsetRecord(
        covered_until=ago(50), open=(OpenRange(since=ago(50), reason=began, id="the first"),)
    )
    events = Events()
    async with followed(FakeStore(records={"s": record}), events=events) as bench:
        await until(lambda: bench.state is State.LIVE)
    assert [(kind, gap.id, gap.reason) for kind, gap in events.told] == [
        ("opened", "the first", goes_on),
        ("unfilled", "the first", goes_on),
    ]


async def test_a_planned_pause_in_which_it_was_killed_is_an_absence() -> None:
    record = OffsetRecord(covered_until=ago(50), open=(OpenRange(since=ago(50), reason="reopen"),))
    with capture_logs() as lines:
        async with followed(FakeStore(records={"s": record})) as bench:
            await until(lambda: bench.state is State.LIVE)
    assert [reason for _, reason in gaps_in(lines)] == [ABSENCE]


async def test_a_clock_that_was_set_back_is_said_and_makes_no_gap_of_less_than_nothing() -> None:
    store = FakeStore(records={"s": OffsetRecord(covered_until=ago(-5000))})
    with capture_logs() as lines:
        async with followed(store) as bench:
            await until(lambda: bench.state is State.LIVE)
    assert "offset lies in the future: the clock was set back" in [line["event"] for line in lines]
    assert [seconds >= 0 for seconds, _ in gaps_in(lines)] == [True]
    assert bench.told.uncovered_seconds < 30


async def test_no_session_opens_before_the_offset_is_known() -> None:
    store = FakeStore(records={"s": OffsetRecord(covered_until=ago(100))}, hangs=True)
    async with followed(store) as bench:
        await anyio.sleep(WAIT_AT_MOST / 2)
        assert bench.state is State.WAITING
        assert "offsets are read from topic c.offsets: 0 of 1" in (bench.runner.status.last_error or "")
        assert bench.upstream.attempts == []


async def test_waiting_for_the_offset_ends_and_late_it_is_a_gap_all_the_same() -> None:
    store = FakeStore(trouble=TopicMissing("c.offsets"), records={"s": OffsetRecord(covered_until=ago(100))})
    with capture_logs() as lines:
        async with followed(store) as bench:
            with anyio.fail_after(20):
                await until(lambda: bench.state is State.LIVE)
            assert gaps_in(lines) == []
            await anyio.sleep(100)
            store.trouble = None
            await until(lambda: gaps_in(lines), within=100)
            assert bench.state is State.LIVE
    ((seconds, reason),) = gaps_in(lines)
    assert reason == ABSENCE
    assert 100 <= seconds <= 130  # up to the first session, not up to when it was learnt


async def test_a_store_that_never_answers_does_not_keep_rows_away() -> None:
    flow = Flow()
    async with followed(FakeStore(hangs=True), flow) as bench:
        await until(lambda: bench.state is State.LIVE, within=WAIT_AT_MOST + 10)
        assert bench.offsets.state == "not_kept"


async def test_a_stop_while_it_waits_for_the_offset_ends_it() -> None:
    async with followed(FakeStore(hangs=True)) as bench:
        await until(lambda: bench.state is State.WAITING)
        bench.runner.stop()
        await until(lambda: bench.state is State.STOPPED)


async def test_one_that_is_replaced_before_it_knew_leaves_that_to_its_successor() -> None:
    records = {"s": OffsetRecord(covered_until=ago(100))}
    store = FakeStore(records=records, trouble=BrokerUnreachable("nobody answers"))
    with capture_logs() as lines:
        async with followed(store) as bench:
            await until(lambda: bench.state is State.WAITING)
            successor = bench.another()
            async with anyio.create_task_group() as group:
                successor.replace(bench.runner)
                group.start_soon(partial(successor.run, after=bench.runner))
                await until(lambda: successor.status.state is State.WAITING)
                store.trouble = None
                await until(lambda: successor.status.state is State.LIVE)
                group.cancel_scope.cancel()
    assert [reason for _, reason in gaps_in(lines)] == [ABSENCE]


async def test_one_that_is_replaced_hands_its_gap_over_and_none_is_declared_twice() -> None:
    store = FakeStore(records={"s": OffsetRecord(covered_until=ago(100))})
    with capture_logs() as lines:
        async with followed(store) as bench:
            await until(lambda: bench.state is State.LIVE)
            await anyio.sleep(WRITE_EVERY * 2)
            successor = bench.another()
            async with anyio.create_task_group() as group:
                successor.replace(bench.runner)
                group.start_soon(partial(successor.run, after=bench.runner))
                await until(lambda: successor.status.state is State.LIVE)
                group.cancel_scope.cancel()
    assert [reason for _, reason in gaps_in(lines)] == [ABSENCE, "reload"]


async def test_a_task_that_stops_writes_the_last_word() -> None:
    store = FakeStore()
    bench = Bench(Flow(), store, brokers_with("t"))
    task = Task(3, (bench.runner,), bench.publisher, offsets=bench.offsets)
    async with anyio.create_task_group() as group:
        group.start_soon(bench.upstream.serve)
        async with anyio.create_task_group() as running:
            running.start_soon(task.run)
            await until(lambda: bench.state is State.LIVE)
            await anyio.sleep(WRITE_EVERY * 1.5)
            stopped_at = ago(0)
            task.stop()
        group.cancel_scope.cancel()
    last = store.writes[-1]["s"]
    assert last is not None
    assert last.covered_until >= stopped_at
    assert last.open == ()


async def test_what_is_covered_is_written_while_it_runs() -> None:
    store = FakeStore()
    async with followed(store, Flow()) as bench:
        await until(lambda: bench.state is State.LIVE)
        await anyio.sleep(WRITE_EVERY * 3)
    covered = [record.covered_until for written in store.writes for record in written.values() if record]
    assert len(covered) >= 2
    assert covered == sorted(covered)
    assert all(record.open == () for written in store.writes for record in written.values() if record)


async def test_a_loss_is_in_it_as_an_open_range() -> None:
    async def once(peer: Peer) -> None:
        await peer.greet()
        await anyio.sleep(20)
        bench.upstream.hangs = True
        await peer.close(1001, "going")

    store = FakeStore()
    async with followed(store, once) as bench:
        await until(lambda: bench.state is State.CONNECTING and len(bench.upstream.attempts) > 1)
        await anyio.sleep(WRITE_EVERY * 2)
    last = store.writes[-1]["s"]
    assert last is not None
    (gap,) = last.open
    assert gap.until is None
    assert last.covered_until == gap.since


async def test_a_bad_record_that_stops_it_is_not_covered() -> None:
    brokers = brokers_with("t", bad={50})
    store = FakeStore()
    async with followed(store, Flow(), brokers=brokers) as bench:
        await until(lambda: bench.state is State.FAILED)
        failed_at = ago(0)
        await anyio.sleep(WRITE_EVERY * 4)
        last = store.writes[-1]["s"]
    assert last is not None
    assert last.covered_until <= failed_at
    assert [one.reason for one in last.open] == ["failed"]
