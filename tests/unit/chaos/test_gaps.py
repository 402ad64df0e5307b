"""Gaps are read from where they are declared, and absences from what the processes logged."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.chaos.accounting import Gap
from tests.chaos.gaps import DECLARED, LEFT_OPEN, LIVE, LoggedGaps, RecordedGaps, absences, moment

TEN = "2026-01-01T00:00:10.000000Z"
AT_SEVEN, AT_NINE = "2026-01-01T00:00:07.000Z", "2026-01-01T00:00:09.000Z"
AT_TEN = 1767225610.0


def line(event: str, time: str = TEN, subscription: str = "bsc", **more: object) -> dict[str, Any]:
    return {"event": event, "time": time, "subscription": subscription, **more}


def event(kind: str, subscription: str = "bsc", **more: object) -> dict[str, Any]:
    return {"event": kind, "subscription": subscription, "id": "1", "since": 5000, "reason": "closed", **more}


def test_a_logged_gap_is_where_its_line_says_and_one_left_open_ends_with_it() -> None:
    logged = LoggedGaps(
        [
            line(DECLARED, since=AT_SEVEN, until=AT_NINE, reason="reopen"),
            line(DECLARED, subscription="eth", since=AT_SEVEN, until=AT_NINE, reason="closed"),
            line(LEFT_OPEN, since=AT_NINE, reason="closed"),
            line("another"),
        ]
    )
    assert logged.of("bsc") == [
        Gap(since=AT_TEN - 3, until=AT_TEN - 1, reason="reopen"),
        Gap(since=AT_TEN - 1, until=AT_TEN, reason="closed"),
    ]


def test_a_gap_that_was_opened_only_is_open() -> None:
    assert RecordedGaps([event("gap_opened")]).of("bsc") == [Gap(since=5.0, until=math.inf, reason="closed")]


def test_events_of_one_gap_are_one_also_where_they_come_twice() -> None:
    opened, unfilled = event("gap_opened"), event("gap_unfilled", until=9000)
    recorded = RecordedGaps([opened, unfilled, opened, unfilled])
    assert recorded.of("bsc") == [Gap(since=5.0, until=9.0, reason="closed")]
    assert not recorded.of("eth")


def test_a_filled_gap_explains_nothing_but_the_rest_of_it_that_is_declared() -> None:
    opened, filled = event("gap_opened"), event("gap_filled", until=9000)
    assert not RecordedGaps([opened, filled]).of("bsc")
    rest = event("gap_unfilled", since=7000, until=9000)
    for events in ([opened, filled, rest], [opened, rest, filled]):
        assert RecordedGaps(events).of("bsc") == [Gap(since=7.0, until=9.0, reason="closed")]


def test_gaps_of_two_subscriptions_and_of_two_ids_are_kept_apart() -> None:
    events = [
        event("gap_opened"),
        event("gap_opened", subscription="eth"),
        event("gap_unfilled", id="2", since=1000, until=2000),
    ]
    recorded = RecordedGaps(events)
    assert [gap.until for gap in recorded.of("bsc")] == [math.inf, 2.0]
    assert [gap.until for gap in recorded.of("eth")] == [math.inf]


@pytest.mark.parametrize("value", ["2026-01-01T00:00:10Z", "2026-01-01T01:00:10+01:00", 1767225610000])
def test_moments_are_text_or_milliseconds(value: object) -> None:
    assert moment(value) == AT_TEN


def test_an_absence_lasts_until_a_later_process_is_live() -> None:
    lives: list[tuple[float, list[dict[str, Any]]]] = [
        (AT_TEN - 5, [line(LIVE)]),
        (AT_TEN - 2, [line(LIVE, subscription="eth")]),
        (AT_TEN + 9, [line(LIVE), line(LIVE, "2026-01-01T00:00:12Z")]),
    ]
    assert absences(lives, "bsc") == [Gap(since=AT_TEN - 5, until=AT_TEN, reason="absence", is_assumed=True)]


def test_each_absence_begins_with_the_end_of_a_process_that_was_live() -> None:
    lives: list[tuple[float, list[dict[str, Any]]]] = [
        (AT_TEN - 5, [line(LIVE)]),
        (AT_TEN + 2, [line(LIVE)]),
        (AT_TEN + 9, [line(LIVE, "2026-01-01T00:00:14Z")]),
    ]
    assert [(gap.since, gap.until) for gap in absences(lives, "bsc")] == [
        (AT_TEN - 5, AT_TEN),
        (AT_TEN + 2, AT_TEN + 4),
    ]


def test_of_a_process_that_never_was_live_nothing_is_assumed_beyond_the_first_absence() -> None:
    lives: list[tuple[float, list[dict[str, Any]]]] = [(AT_TEN, [line(LIVE)]), (AT_TEN + 5, [])]
    assert absences(lives, "bsc") == []
