"""What of a result breaks a promise, and which fault lets a row come twice."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chaos.faults import Happened
from tests.chaos.report import AFTER, BEFORE, explanation, failures

GOOD: dict[str, Any] = {
    "delivery": "at_least_once",
    "lost": 100,
    "lost_outside_gaps": 0,
    "duplicates": 7,
    "altered": 0,
    "strangers": 0,
    "secrets_shown": 0,
    "violations": 0,
    "exits": {"SIGTERM 0": 2, "SIGKILL -9": 1},
}


def test_losses_inside_gaps_repeats_and_exits_that_were_asked_for_break_nothing() -> None:
    assert failures(GOOD) == []


@pytest.mark.parametrize("key", ["lost_outside_gaps", "altered", "strangers", "secrets_shown", "violations"])
def test_none_of_these_may_be(key: str) -> None:
    assert failures({**GOOD, key: 1}) == [f"{key}: 1"]


def test_with_exactly_once_nothing_comes_twice() -> None:
    exactly = {**GOOD, "delivery": "exactly_once"}
    assert failures(exactly) == ["duplicates: 7"]
    assert failures({**exactly, "duplicates": 0}) == []


@pytest.mark.parametrize("ended", ["SIGTERM 1", "by itself 0", "SIGTERM -9"])
def test_a_process_ends_when_it_is_told_to_and_well(ended: str) -> None:
    assert failures({**GOOD, "exits": {ended: 1}}) == [f"exit: {ended}"]


@pytest.mark.parametrize(
    ("received", "why"),
    [
        (100.0 - BEFORE - 0.1, "unexplained"),
        (100.0 - BEFORE, "broker_freeze"),
        (105.0, "broker_freeze"),
        (110.0 + AFTER, "broker_freeze"),
        (110.0 + AFTER + 0.1, "unexplained"),
        (200.0, "unexplained"),
    ],
)
def test_rows_that_were_received_about_then_may_come_twice(received: float, why: str) -> None:
    happened = [
        Happened(kind="broker_freeze", subscription="bsc", began=100.0, ended=110.0),
        Happened(kind="fin", subscription="bsc", began=200.0, ended=200.0),
    ]
    assert explanation(happened, received) == why
