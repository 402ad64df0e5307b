"""Rows that are lost and doubled are counted, and no gap explains more than it covers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest

from tests.chaos.accounting import LOOK_BACK, SLACK, Account, Gap, account

START = 1_000_000.0


def at(second: float) -> float:
    return START + second


SENT: Mapping[int, float] = {number: at(number / 10) for number in range(1000)}
"""Ten rows a second, for a hundred seconds."""


def gap(since: float, until: float, *, reason: str = "closed") -> Gap:
    return Gap(since=at(since), until=at(until), reason=reason)


def arrived(*missing: range, late: float = 0.0) -> dict[int, Sequence[float]]:
    """All rows but those that are missing, each ``late`` seconds after it was sent."""
    lost = {number for numbers in missing for number in numbers}
    return {number: [moment + late] for number, moment in SENT.items() if number not in lost}


def lost_outside(missing: range, *gaps: Gap, late: float = 0.0) -> int:
    return len(account(SENT, arrived(missing, late=late), gaps).outside)


def test_all_is_well_where_each_row_is_there_once() -> None:
    found = account(SENT, arrived(), [])
    assert found == Account(
        sent=1000,
        lost=frozenset(),
        outside=frozenset(),
        owed=frozenset(),
        near=frozenset(),
        duplicates={},
        strangers=0,
        uncovered=0.0,
    )


def test_a_row_that_is_lost_outside_any_gap_is_found() -> None:
    found = account(SENT, arrived(range(500, 501)), [gap(10, 20), gap(80, 90)])
    assert found.lost == found.outside == {500}


def test_rows_that_are_lost_inside_a_gap_are_lost_and_explained() -> None:
    found = account(SENT, arrived(range(500, 600)), [gap(50, 60)])
    assert found.lost == set(range(500, 600))
    assert not found.outside
    assert not found.near


def test_a_gap_explains_nothing_before_or_after_it() -> None:
    assert lost_outside(range(400, 410), gap(50, 60)) == 10
    assert lost_outside(range(700, 710), gap(50, 60)) == 10
    assert lost_outside(range(450, 650), gap(50, 60)) == 50 + 49 - 2 * round(10 * SLACK)


def test_what_only_the_slack_excuses_is_told() -> None:
    found = account(SENT, arrived(range(497, 600)), [gap(50, 60)])
    assert not found.outside
    assert found.near == {497, 498, 499}


def test_gaps_may_overlap_hold_one_another_and_come_in_any_order() -> None:
    gaps = [gap(55, 60), gap(20, 22), gap(50, 56), gap(50, 80), gap(52, 53)]
    found = account(SENT, arrived(range(500, 800)), gaps)
    assert not found.outside
    assert found.uncovered == pytest.approx(32.0)


def test_a_gap_over_everything_explains_all_and_its_seconds_tell() -> None:
    found = account(SENT, {}, [Gap(since=0.0, until=math.inf, reason="closed")])
    assert len(found.lost) == 1000
    assert not found.outside
    assert found.uncovered == pytest.approx(99.9)


def test_what_was_handed_over_is_owed_also_inside_a_gap() -> None:
    found = account(SENT, arrived(range(500, 600)), [gap(50, 60)], owed={503, 700})
    assert found.owed == found.outside == {503}


def test_a_gap_begins_as_much_earlier_as_rows_were_on_their_way() -> None:
    assert lost_outside(range(420, 600), gap(50, 60), late=8.0) == 0
    assert lost_outside(range(410, 600), gap(50, 60), late=8.0) == round(10 * (1 - SLACK))
    assert lost_outside(range(420, 600), gap(50, 60)) == 80 - round(10 * SLACK)


def test_only_rows_that_came_just_before_tell_how_long_they_were_on_their_way() -> None:
    arrivals = arrived(range(420, 600))
    arrivals[100] = [at(50 - LOOK_BACK - 0.1)]
    assert len(account(SENT, arrivals, [gap(50, 60)]).outside) == 80 - round(10 * SLACK)


def test_copies_are_counted_by_what_explains_them() -> None:
    arrivals = {**arrived(), 100: [at(10.0)] * 3, 900: [at(90.0)] * 2}
    found = account(SENT, arrivals, [], explain=lambda moment: "kill" if moment < at(50) else "unexplained")
    assert found.duplicates == {"kill": 2, "unexplained": 1}


def test_a_copy_that_the_upstream_sent_again_is_no_duplicate_and_a_further_one_is() -> None:
    arrivals = {**arrived(), 100: [at(10.0)] * 2, 101: [at(10.1)] * 3}
    assert account(SENT, arrivals, [], repeats={100: 1, 101: 1}).duplicates == {"unexplained": 1}


def test_a_row_that_nobody_sent_is_a_stranger() -> None:
    assert account(SENT, {**arrived(), 1000: [at(99.0)]}, []).strangers == 1


def test_nothing_sent_is_nothing_uncovered() -> None:
    assert account({}, {}, [gap(0, 10)]).uncovered == 0.0
