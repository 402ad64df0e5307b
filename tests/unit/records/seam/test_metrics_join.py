"""Documents that count or sum: the new session may begin in the middle of what is counted."""

from connector.records.seam import SeamSpec, Verdict
from tests.unit.records.seam.sessions import OVERLAP_MAX, REACH, Sessions

METRICS = SeamSpec(has_metrics=True)


def test_what_comes_before_the_first_match_is_dropped() -> None:
    both = Sessions(METRICS)
    both.subscribe()
    both.bring(both.new, ["block 7", 1], ["other 7", 1])
    both.bring(both.new, ["block 8", 5])
    both.bring(both.old, ["block 7", 4], ["other 7", 2])
    both.bring(both.old, ["block 8", 5])
    both.bring(both.new, ["block 9", 6])
    both.switch()
    assert both.values == [["block 7", 4], ["other 7", 2], ["block 8", 5], ["block 9", 6]]
    assert both.seam.counts.partial == 2


def test_so_are_the_other_rows_that_came_with_it() -> None:
    both = Sessions(METRICS)
    both.subscribe()
    both.bring(both.new, ["a 7", 1], ["b 7", 1])
    both.bring(both.old, ["a 7", 4], ["b 7", 1])  # b is complete by chance
    both.switch()
    assert both.values == [["a 7", 4], ["b 7", 1]]


def test_a_row_of_before_is_no_match() -> None:
    both = Sessions(METRICS)
    both.record()
    both.bring(both.old, 1)
    both.wait(1.0)
    both.subscribe()
    both.bring(both.new, 2)
    both.bring(both.new, 1)
    both.bring(both.old, 3)
    both.bring(both.new, 3)
    both.switch()
    assert both.values == [1, 3]


def test_once_the_old_one_is_dead_they_are_better_than_nothing() -> None:
    both = Sessions(METRICS)
    both.subscribe()
    both.bring(both.new, 1, 2)
    both.close(both.old)
    assert both.values == [1, 2]


def test_where_nothing_matches_the_old_one_is_believed_and_the_gap_reaches_to_what_is_published() -> None:
    both = Sessions(METRICS)
    both.bring(both.old, 0)
    both.subscribe()
    for step in range(3):
        both.wait(1.0)
        both.bring(both.old, ["old", step])
        both.bring(both.new, ["new", step])
    both.wait(OVERLAP_MAX)
    assert both.verdict() is Verdict.DECLARE_GAP
    both.switch()
    both.bring(both.new, "live")
    assert both.values == [0, ["old", 0], ["old", 1], ["old", 2], "live"]
    assert both.seam.counts.partial == 3
    assert both.overlap is not None
    assert (both.overlap.missed.since, both.overlap.missed.until) == (100.0, 103.0)


def test_where_the_old_one_brings_nothing_the_new_one_is_believed() -> None:
    both = Sessions(METRICS)
    both.subscribe()
    both.bring(both.new, 1)
    both.wait(OVERLAP_MAX)
    assert both.verdict() is Verdict.DECLARE_GAP
    both.switch()
    assert both.values == [1]


def test_over_the_bound_they_are_dropped_too() -> None:
    both = Sessions(SeamSpec(has_metrics=True, join_bytes=20_000))
    both.subscribe()
    both.bring(both.old, 0)
    for number in range(1, 4):
        both.bring(both.new, number, size=10_000)
    assert both.seam.size < 20_000
    both.bring(both.old, 4)
    both.bring(both.new, 4)
    both.bring(both.new, 5)
    both.switch()
    assert both.values == [0, 4, 5]
    assert both.seam.counts.partial == 3


def test_the_first_match_is_evidence() -> None:
    both = Sessions(METRICS)
    both.subscribe()
    both.bring(both.new, "partial")
    both.wait(1.0)
    both.bring(both.old, "complete")
    both.bring(both.new, "complete")
    assert both.verdict() is Verdict.KEEP_BOTH
    both.wait(REACH)
    assert both.verdict() is Verdict.CLOSE_OLD


def test_rows_after_the_first_match_are_evidence_too() -> None:
    both = Sessions(METRICS)
    both.subscribe()
    both.bring(both.new, "partial")
    both.wait(0.1)
    both.bring(both.new, "by chance")
    both.wait(0.1)
    both.bring(both.new, 8)
    both.bring(both.old, "by chance")
    both.wait(REACH)
    assert both.verdict() is Verdict.KEEP_BOTH
    both.bring(both.old, 8)
    both.wait(1.0)
    assert both.verdict() is Verdict.CLOSE_OLD
