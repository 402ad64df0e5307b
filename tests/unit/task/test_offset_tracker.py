"""
What an offset says, against a plain model that is killed at any moment.

No row that was received and is not in Kafka may lie before what the stored record covers, and no time without
a session may be forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.publish.offsets import OffsetRecord
from connector.task.gap_tracker import GapTracker
from connector.task.offset_tracker import ON_ITS_WAY, Clocks, OffsetTracker
from tests.unit.task.fakes import Told
from tests.unit.task.test_gap_declared import Events

WALL = 1_700_000_000.0
"""Seconds since 1970 at moment 0 of the monotonic clock."""


@dataclass
class World:
    """One subscription whose parts are plain numbers; seconds of a clock that goes as it is told."""

    now: float = 100.0
    heard: float | None = None
    pending: list[float] = field(default_factory=list)
    poisoned: float | None = None
    lost_since: float | None = None
    declared: list[tuple[float, float]] = field(default_factory=list)
    stored: OffsetRecord | None = None

    def __post_init__(self) -> None:
        self.gaps = GapTracker("s", Told(), streams=1, clock=lambda: self.now)
        self.coverage = OffsetTracker(
            self.gaps,
            oldest=lambda: min(self.pending, default=None),
            heard=lambda: self.heard,
            clocks=Clocks(monotonic=lambda: self.now, wall=lambda: WALL + self.now),
        )

    def step(self, kind: str, size: int) -> None:
        self.now += size / 7
        getattr(self, kind)(size)
        self.check()

    def live(self, size: int) -> None:
        if not self.gaps.is_live:
            self.gaps.live(self.now)
            self.heard = self.now
            if self.lost_since is not None:
                self.declared.append((self.lost_since, self.now))
            self.lost_since = None

    def lost(self, size: int) -> None:
        self.gaps.lost("closed")
        if self.lost_since is None:
            self.lost_since = self.now

    def silent(self, size: int) -> None:
        """Lost from when it was last heard."""
        if self.gaps.is_live:
            self.gaps.lost("silent", since=self.heard)
            self.lost_since = self.heard

    def hear(self, size: int) -> None:
        if self.gaps.is_live:
            self.heard = self.now

    def receive(self, size: int) -> None:
        if self.gaps.is_live:
            self.heard = self.now
            self.pending += [self.now] * (1 + size % 3)

    def acknowledge(self, size: int) -> None:
        self.pending = self.pending[size:]

    def poison(self, size: int) -> None:
        """One that is not through is given up, which stops the subscription; the others go on."""
        if self.pending and self.poisoned is None:
            self.coverage.freeze()
            self.poisoned = self.pending.pop(size % len(self.pending))

    def write(self, size: int) -> None:
        record = self.coverage.record()
        if record is not None:
            self.stored = record

    def end(self, size: int) -> None:
        """In good order."""
        self.lost(size)
        self.gaps.ended()

    def check(self) -> None:
        """It is killed now."""
        if self.stored is None:
            return
        covered = self.stored.covered_until
        for row in [*self.pending, *([] if self.poisoned is None else [self.poisoned])]:
            assert int((WALL + row) * 1000) >= covered
        begins = min([covered, *(one.since for one in self.stored.open)])
        if self.lost_since is not None:
            assert begins <= int((WALL + self.lost_since) * 1000)


KINDS = (
    "live",
    "lost",
    "silent",
    "hear",
    "receive",
    "receive",
    "acknowledge",
    "acknowledge",
    "poison",
    "write",
)
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 6)), max_size=40)


@given(STEPS)
def test_killed_at_any_moment_it_says_no_more_than_is_true(steps: list[tuple[str, int]]) -> None:
    world = World()
    for kind, size in steps:
        world.step(kind, size)
        world.step("write", 0)


@given(STEPS)
def test_so_it_does_where_records_are_old(steps: list[tuple[str, int]]) -> None:
    world = World()
    for kind, size in steps:
        world.step(kind, size)


@given(STEPS)
def test_a_stop_in_good_order_leaves_what_is_true(steps: list[tuple[str, int]]) -> None:
    world = World()
    for kind, size in steps:
        world.step(kind, size)
    world.step("end", 1)
    world.pending = []
    world.step("write", 0)
    world.now += 1000
    world.step("write", 0)


def test_where_all_is_through_and_a_session_is_heard_it_is_covered_to_now() -> None:
    world = World()
    for kind in ("live", "receive", "acknowledge", "acknowledge"):
        world.step(kind, 3)
    world.step("hear", 70)
    world.write(0)
    assert world.stored == OffsetRecord(covered_until=int((WALL + world.now - ON_ITS_WAY) * 1000))


def test_it_ends_at_the_first_row_that_is_not_through() -> None:
    world = World()
    world.step("live", 1)
    world.step("receive", 7)
    first = world.now
    world.step("receive", 70)
    world.step("hear", 70)
    world.write(0)
    assert world.stored == OffsetRecord(covered_until=int((WALL + first) * 1000))


def test_an_open_gap_is_in_it_with_its_reason() -> None:
    world = World()
    world.step("live", 1)
    world.step("lost", 700)
    since = int((WALL + world.now) * 1000)
    world.step("write", 70)
    assert world.stored is not None
    assert world.stored.covered_until == since
    assert [(one.since, one.until, one.reason) for one in world.stored.open] == [(since, None, "closed")]


def test_before_the_first_session_there_is_nothing_to_say() -> None:
    world = World()
    assert world.coverage.record() is None
    world.gaps.ended()
    assert world.coverage.record() is None


def test_what_a_stop_leaves_is_no_gap_yet() -> None:
    world = World()
    world.step("live", 1)
    world.gaps.lost("stop")
    stopped_at = int((WALL + world.now) * 1000)
    world.gaps.ended()
    world.step("write", 700)
    assert world.stored == OffsetRecord(covered_until=stopped_at)


@pytest.mark.parametrize("reason", ["stop", "closed"])
def test_a_gap_whose_beginning_was_told_keeps_its_id(reason: str) -> None:
    clock, told = Clocks(monotonic=lambda: 50.0, wall=lambda: WALL), Events()
    gaps = GapTracker("s", Told(), streams=1, events=told, clock=clock.monotonic)
    gaps.live(40.0)
    gaps.lost(reason, since=45.0)
    gaps.ended()
    record = OffsetTracker(gaps, oldest=lambda: None, heard=lambda: None, clocks=clock).record()
    assert record is not None
    (one,) = record.open
    assert (one.reason, one.id) == (reason, told.ids[0])


def test_moments_outlive_the_process_and_none_lies_in_the_future() -> None:
    clocks = Clocks(monotonic=lambda: 50.0, wall=lambda: WALL)
    assert clocks.to_ms(40.0) == int((WALL - 10) * 1000)
    assert clocks.from_ms(int((WALL - 1000) * 1000)) == -950.0
    assert clocks.from_ms(int((WALL + 1000) * 1000)) == 50.0
