"""Gaps as events: each has a beginning and an end with one id, and moments of the wall's clock."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from connector.publish import Gap
from connector.task.gap_tracker import GapTracker
from tests.unit.task.fakes import Told

WALL = 1_700_000_000.0


class Clocks:
    """Time by both clocks, which run alike until ``offset`` is changed."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.offset = WALL

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now - 1000.0 + self.offset


class Events:
    """Satisfies `GapEvents`; lists what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Gap]] = []

    def opened(self, gap: Gap) -> None:
        self.told.append(("opened", gap))

    def unfilled(self, gap: Gap) -> None:
        self.told.append(("unfilled", gap))

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.told]

    @property
    def ids(self) -> list[str]:
        return [gap.id for _, gap in self.told]

    def periods(self) -> list[tuple[str, float, float | None]]:
        """What each tells, in seconds since the clocks began."""
        return [
            (kind, gap.since_ms / 1000 - WALL, gap.until_ms and gap.until_ms / 1000 - WALL)
            for kind, gap in self.told
        ]


def tracked() -> tuple[GapTracker, Events, Clocks, Told]:
    events, clocks, told = Events(), Clocks(), Told()
    tracker = GapTracker("bsc", told, streams=1, events=events, clock=clocks.monotonic, wall=clocks.wall)
    return tracker, events, clocks, told


def test_a_gap_is_told_when_it_begins_and_when_it_is_over() -> None:
    it, events, clocks, _ = tracked()
    it.live(clocks.now)
    clocks.now += 10
    it.lost("closed")
    assert events.periods() == [("opened", 10.0, None)]
    clocks.now += 3
    it.lost("unreachable")  # begins no other
    clocks.now += 2
    it.live(clocks.now)
    assert events.periods() == [("opened", 10.0, None), ("unfilled", 10.0, 15.0)]
    assert len(set(events.ids)) == 1
    assert [(gap.reason, gap.rows) for _, gap in events.told] == [("closed", None)] * 2


def test_each_gap_has_an_id_of_its_own() -> None:
    it, events, clocks, _ = tracked()
    for reason in ("reopen", "closed"):
        it.live(clocks.now)
        it.lost(reason)
    it.live(clocks.now)
    assert events.kinds == ["opened", "unfilled"] * 2
    assert (events.ids[0], events.ids[2]) == (events.ids[1], events.ids[3])
    assert len(set(events.ids)) == 2


def test_nothing_is_told_before_the_first_session() -> None:
    it, events, clocks, _ = tracked()
    clocks.now += 60
    it.tick()
    it.live(clocks.now)
    assert events.told == []


def test_moments_are_rounded_so_that_the_gap_is_within() -> None:
    it, events, clocks, _ = tracked()
    it.live(clocks.now)
    clocks.now += 0.0015
    it.lost("closed")
    clocks.now += 0.0011
    it.live(clocks.now)
    (_, gap) = events.told[-1]
    assert (gap.since_ms - WALL * 1000, (gap.until_ms or 0) - WALL * 1000) == (1, 3)


def test_a_clock_that_is_set_back_ends_no_gap_before_it_began() -> None:
    it, events, clocks, told = tracked()
    it.live(clocks.now)
    it.lost("closed")
    clocks.now += 5
    clocks.offset -= 3600
    it.live(clocks.now)
    assert events.periods() == [("opened", 0.0, None), ("unfilled", 0.0, 0.0)]
    assert told.uncovered_seconds == 5.0


def test_who_goes_on_ends_the_gap_that_was_told() -> None:
    old, events, clocks, _ = tracked()
    old.live(clocks.now)
    old.lost("reload")
    clocks.now += 2
    new = GapTracker("bsc", Told(), streams=1, events=events, clock=clocks.monotonic, wall=clocks.wall)
    new.take_over(old.hand_over())
    clocks.now += 1
    new.live(clocks.now)
    assert events.periods() == [("opened", 0.0, None), ("unfilled", 0.0, 3.0)]
    assert len(set(events.ids)) == 1


def test_a_stop_leaves_a_gap_open() -> None:
    it, events, clocks, told = tracked()
    it.live(clocks.now)
    clocks.now += 7
    it.ended()
    it.ended()
    clocks.now += 60
    it.tick()
    assert events.periods() == [("opened", 7.0, None)]
    assert [gap.reason for _, gap in events.told] == ["stop"]
    assert (told.uncovered_seconds, told.gaps, told.streamed_seconds) == (0.0, [], 7.0)


def test_a_stop_during_a_gap_leaves_that_one_open() -> None:
    it, events, clocks, _ = tracked()
    it.live(clocks.now)
    it.lost("closed")
    it.ended()
    assert [(kind, gap.reason) for kind, gap in events.told] == [("opened", "closed")]
    assert it.open_gap is None


def test_the_open_gap_can_be_asked_for() -> None:
    it, events, clocks, _ = tracked()
    assert it.open_gap is None
    it.lost("closed")
    clocks.now += 4
    it.tick()
    gap = it.open_gap
    assert gap is not None
    assert (gap.id, gap.since, gap.counted_to, gap.reason) == (events.ids[0], 1000.0, 1004.0, "closed")


def test_one_that_is_open_at_the_end_is_told_of_in_the_log_and_one_that_the_stop_began_is_not() -> None:
    for reason, told_of in (("closed", [("gap left open", 5.0, "closed")]), ("stop", [])):
        it, events, clocks, told = tracked()
        it.live(clocks.now)
        clocks.now += 10
        it.lost(reason)
        clocks.now += 5
        with capture_logs() as lines:
            it.ended()
            it.ended()
        assert [(line["event"], line["seconds"], line["reason"]) for line in lines] == told_of
        assert (events.kinds, told.gaps, told.uncovered_seconds) == (["opened"], [], 5.0)


# What lies in the past


def test_a_session_that_was_dead_is_declared_from_its_last_row() -> None:
    it, events, clocks, told = tracked()
    it.live(clocks.now)
    clocks.now += 100
    with capture_logs() as lines:
        it.declare(since=clocks.now - 40, until=clocks.now - 1, reason="dead", rows=12)
    assert events.periods() == [("opened", 60.0, None), ("unfilled", 60.0, 99.0)]
    assert [gap.rows for _, gap in events.told] == [None, 12]
    assert (told.uncovered_seconds, told.gaps) == (39.0, ["unfilled"])
    assert [(line["event"], line["seconds"], line["reason"]) for line in lines] == [
        ("gap declared", 39.0, "dead")
    ]
    clocks.now += 1
    it.tick()
    assert (told.uncovered_seconds, told.streamed_seconds) == (39.0, 101.0)  # its session lives on


def test_what_lies_before_the_process_is_declared_by_the_wall() -> None:
    it, events, _, told = tracked()
    day = 86_400.0
    it.declare(
        since=datetime.fromtimestamp(WALL - day, UTC),
        until=datetime.fromtimestamp(WALL, UTC),
        reason="absence",
    )
    assert events.periods() == [("opened", -day, None), ("unfilled", -day, 0.0)]
    assert told.uncovered_seconds == pytest.approx(day)


def test_a_period_that_is_none_is_declared_as_a_moment() -> None:
    it, events, clocks, told = tracked()
    it.declare(since=clocks.now, until=clocks.now - 5, reason="dead")
    assert events.periods() == [("opened", 0.0, None), ("unfilled", 0.0, 0.0)]
    assert told.uncovered_seconds == 0.0


def test_a_gap_that_is_open_stays_so_while_another_is_declared() -> None:
    it, events, clocks, _ = tracked()
    it.lost("closed")
    it.declare(since=clocks.now - 9, until=clocks.now - 8, reason="dead")
    clocks.now += 1
    it.live(clocks.now)
    assert events.kinds == ["opened", "opened", "unfilled", "unfilled"]
    assert events.ids[0] == events.ids[3] != events.ids[1] == events.ids[2]


def test_an_absence_is_open_until_a_session_is_live() -> None:
    it, events, clocks, told = tracked()
    with capture_logs() as lines:
        it.absent(since=datetime.fromtimestamp(WALL - 3600, UTC))
        clocks.now += 5
        it.lost("unreachable")
        it.tick()
        assert told.uncovered_seconds == 3605.0
        clocks.now += 5
        it.live(clocks.now)
    assert events.periods() == [("opened", -3600.0, None), ("unfilled", -3600.0, 10.0)]
    assert [(line["seconds"], line["reason"]) for line in lines] == [(3610.0, "absence")]
    assert (told.uncovered_seconds, told.gaps) == (3610.0, ["unfilled"])


def test_an_absence_goes_on_with_the_gap_that_was_open() -> None:
    it, events, clocks, _ = tracked()
    it.absent(since=datetime.fromtimestamp(WALL - 60, UTC), gap_id="left-open")
    it.live(clocks.now)
    assert events.ids == ["left-open"] * 2


def test_an_absence_that_has_not_begun_yet_begins_now() -> None:
    it, events, clocks, told = tracked()
    it.absent(since=datetime.fromtimestamp(WALL + 60, UTC))  # the other process had another clock
    clocks.now += 1
    it.live(clocks.now)
    assert events.periods() == [("opened", 0.0, None), ("unfilled", 0.0, 1.0)]
    assert told.uncovered_seconds == 1.0


def test_an_absence_beside_an_open_gap_is_none() -> None:
    it, events, _, _ = tracked()
    it.lost("closed")
    it.absent(since=datetime.fromtimestamp(WALL - 60, UTC))
    assert events.kinds == ["opened"]


def test_a_gap_that_was_handed_over_is_told_of_by_whoever_goes_on_alone() -> None:
    old, events, clocks, told = tracked()
    old.live(clocks.now)
    old.lost("reload")
    old.hand_over()
    clocks.now += 5
    old.lost("reload")
    old.tick()
    assert events.kinds == ["opened"]
    assert told.uncovered_seconds == 0.0
