"""Rows of two sessions as those of one: case by case."""

import msgspec
import pytest

from connector.records.list_slices import HeldRows, ListSlices
from connector.records.seam import SeamSpec
from connector.records.seam.receipt import MOST_COMPARED
from tests.unit.records.seam.came import Came
from tests.unit.records.seam.sessions import BY_ID, REACH, Sessions


def test_outside_an_overlap_receipts_go_on_as_they_are() -> None:
    both = Sessions()
    receipt = Came([msgspec.Raw(b"1")], 1.0)
    assert not both.seam.takes_batches
    assert both.seam.take(both.old, receipt) == [receipt]


def test_the_old_ones_rows_go_on_and_the_new_ones_wait() -> None:
    both = Sessions()
    both.subscribe()
    both.bring(both.old, 1, 2)
    both.bring(both.new, 3, 4)
    assert both.values == [1, 2]
    both.switch()
    assert both.values == [1, 2, 3, 4]
    both.bring(both.new, 5)
    assert both.values == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("is_first", ["old", "new"])
def test_what_both_bring_is_published_once(is_first: str) -> None:
    both = Sessions()
    both.subscribe()
    one, other = (both.old, both.new) if is_first == "old" else (both.new, both.old)
    both.bring(one, 1, 2, 3)
    both.wait(REACH)
    both.bring(other, 3)
    both.bring(other, 2, 1, 4)
    both.switch()
    assert sorted(both.values) == [1, 2, 3, 4]
    assert both.seam.counts.joined == 3


def test_equal_rows_of_one_session_stay_as_many_as_there_are() -> None:
    both = Sessions()
    both.subscribe()
    both.bring(both.old, 1, 1, 2)
    both.bring(both.new, 1, 1, 1, 2, 2)
    both.bring(both.old, 2)
    both.switch()
    assert sorted(both.values) == [1, 1, 1, 2, 2]


def test_a_row_that_comes_again_long_after_the_old_one_is_another_row() -> None:
    both = Sessions()
    both.subscribe()
    both.bring(both.old, 1)
    both.wait(REACH + 0.001)
    both.bring(both.new, 1)
    both.switch()
    assert both.values == [1, 1]


def test_of_equal_rows_the_new_one_is_matched_with_the_one_that_came_last() -> None:
    both = Sessions()
    both.record()
    for _ in range(5):
        both.bring(both.old, 0)
        both.wait(1.0)
    both.subscribe()
    for _ in range(6):
        both.bring(both.old, 0)
        both.bring(both.new, 0)
        both.wait(1.0)
    both.switch()
    both.close(both.old)
    both.bring(both.new, 0)  # none of those before it stands for it
    assert len(both.values) == 12


def test_a_slow_old_session_is_waited_for_longer_than_that() -> None:
    both = Sessions()
    both.subscribe()
    both.bring(both.new, 1, 2, 3)
    both.wait(3 * REACH)
    both.bring(both.old, 1, 2)
    both.switch()
    both.bring(both.old, 3)
    assert both.values == [1, 2, 3]


def test_a_snapshot_of_what_came_shortly_before_is_not_published_again() -> None:
    both = Sessions()
    both.record()
    both.bring(both.old, 1, 2)
    both.wait(REACH)
    both.subscribe()
    both.bring(both.new, 1, 2)
    both.switch()
    assert both.values == [1, 2]


def test_the_old_ones_tail_is_published_where_the_new_one_has_not_brought_it() -> None:
    both = Sessions()
    both.subscribe()
    both.bring(both.new, 1)
    both.switch()
    both.bring(both.new, 2)
    both.bring(both.old, 1, 2, 3)
    both.close(both.old)
    both.bring(both.new, 3, 4)
    assert both.values == [1, 2, 3, 4]


def test_it_is_over_its_reach_after_the_old_one_was_closed() -> None:
    both = Sessions()
    both.subscribe()
    both.bring(both.old, 1, 2)
    both.switch()
    both.close(both.old)
    both.wait(REACH - 0.001)
    both.bring(both.new, 1)
    assert not both.seam.may_overlap(both.now)
    both.wait(0.001)
    both.bring(both.new, 2)
    assert both.values == [1, 2, 2]
    assert not both.seam.takes_batches
    assert both.seam.may_overlap(both.now)


def test_when_the_old_one_dies_what_was_held_is_published() -> None:
    both = Sessions()
    both.subscribe()
    both.bring(both.old, 1)
    both.bring(both.new, 1, 2)
    both.close(both.old)
    both.bring(both.new, 3)
    assert both.values == [1, 2, 3]


def test_when_the_new_one_dies_what_was_held_is_published_and_not_doubled_by_the_old_one() -> None:
    both = Sessions()
    both.subscribe()
    both.bring(both.new, 1, 2)
    both.close(both.new)
    both.wait(REACH - 0.001)
    both.bring(both.old, 1, 2, 3)
    assert both.values == [1, 2, 3]
    both.wait(0.001)
    assert both.seam.may_overlap(both.now)


def test_without_a_new_session_there_is_nothing_to_join() -> None:
    both = Sessions()
    both.record()
    assert both.overlap is not None
    both.bring(both.old, 1)
    both.overlap.abandon(both.now)
    assert both.seam.may_overlap(both.now)
    both.record()
    both.close(both.old)
    assert both.seam.may_overlap(both.now)


def test_no_overlap_begins_while_one_is_open() -> None:
    both = Sessions()
    both.subscribe()
    both.switch()
    both.close(both.old)
    with pytest.raises(RuntimeError):
        both.seam.begin_overlap(both.old, now=both.now, reach=REACH)
    both.wait(REACH)
    both.seam.begin_overlap(both.old, now=both.now, reach=REACH)


def test_a_session_joins_once() -> None:
    both = Sessions()
    both.subscribe()
    with pytest.raises(RuntimeError):
        both.subscribe()


def test_whoever_else_brings_rows_has_nothing_to_do_with_it() -> None:
    both = Sessions()
    both.subscribe()
    both.bring(both.old, 1)
    both.bring(both.seam.open_source(), 1)
    assert both.values == [1, 1]
    both.close(both.seam.open_source())
    assert not both.seam.may_overlap(both.now)


def test_an_identity_decides_alone_where_it_is_unique() -> None:
    for unique, published in ((True, [{"id": 1, "usd": 0.1}]), (False, None)):
        both = Sessions(SeamSpec(identity=BY_ID, unique=unique))
        both.subscribe()
        both.bring(both.old, {"id": 1, "usd": 0.1})
        both.bring(both.new, {"id": 1, "usd": 0.2})
        both.switch()
        assert both.values == (published or [{"id": 1, "usd": 0.1}, {"id": 1, "usd": 0.2}])
        assert both.seam.counts.unmatched == (not unique)


def test_rows_without_an_identity_are_joined_by_what_they_say() -> None:
    both = Sessions(SeamSpec(identity=BY_ID))
    both.subscribe()
    both.bring(both.old, {"id": None, "n": 1}, {"id": None, "n": 2}, 7)
    both.bring(both.new, {"id": None, "n": 2}, {"id": None, "n": 3}, 7)
    both.switch()
    assert both.values == [{"id": None, "n": 1}, {"id": None, "n": 2}, 7, {"id": None, "n": 3}]


def test_receipts_whose_rows_are_dropped_still_go_on() -> None:
    both = Sessions()
    both.subscribe()
    both.bring(both.old, 1)
    both.bring(both.new, 1)
    assert [len(receipt.rows) for receipt in both.published.receipts] == [1, 0]
    both.bring(both.new, 2)
    assert len(both.published.receipts) == 2
    both.bring(both.old, 2)
    assert [len(receipt.rows) for receipt in both.published.receipts] == [1, 0, 0, 1]


def test_held_rows_take_so_many_bytes_at_most_and_are_not_doubled_after_it() -> None:
    both = Sessions(SeamSpec(join_bytes=20_000))
    both.subscribe()
    both.bring(both.new, 1, 2, size=10_000)
    assert both.values == []
    both.bring(both.new, 3, 4, size=10_000)
    assert both.values == [1, 2, 3, 4]
    both.bring(both.old, 1, 2, 3, 4, 5)
    both.bring(both.new, 5, 6)
    both.switch()
    assert both.values == [1, 2, 3, 4, 5, 6]


def test_what_is_remembered_takes_no_more_either() -> None:
    both = Sessions(SeamSpec(join_bytes=20_000))
    both.subscribe()
    for start in range(0, 2_000, 10):
        both.bring(both.old, *range(start, start + 10))
        assert both.seam.size <= 20_000
    both.bring(both.new, *range(2_000))
    both.switch()
    assert set(range(2_000)) == set(both.values)
    assert len(both.values) > 2_000
    assert len(both.values) - 2_000 <= both.seam.counts.forgotten


@pytest.mark.parametrize("which", ["held", "sliced"])
def test_large_receipts_are_joined_like_any_other(which: str) -> None:
    def large(*numbers: int) -> Came:
        rows = [msgspec.Raw(b"%d" % number) for number in numbers]
        text = b"[" + b",".join(map(bytes, rows)) + b"]"
        return Came([], both.now, 100, HeldRows(rows, 100) if which == "held" else ListSlices(text))

    for first, second, tail in (("old", "new", range(3_500, 4_500)), ("new", "old", range(500))):
        both = Sessions()
        both.subscribe()
        assert both.new is not None
        sources = {"old": both.old, "new": both.new}
        both.receive(sources[first], large(*range(3_000)))
        both.receive(sources[second], large(*range(1_000, 4_000)))
        both.switch()
        both.receive(both.old, large(*tail))
        assert set(both.values) == set(range(max(4_000, tail.stop)))
        assert len(both.values) == len(set(both.values))


def test_of_very_many_rows_those_behind_are_published_by_both() -> None:
    both = Sessions()
    both.subscribe()
    assert both.new is not None
    text = b"[" + b",".join(b"%d" % number for number in range(MOST_COMPARED + 5_000)) + b"]"
    both.receive(both.old, Came([], both.now, 100, ListSlices(text)))
    both.receive(both.new, Came([], both.now, 100, ListSlices(text)))
    both.switch()
    assert MOST_COMPARED + 5_000 < len(both.values) <= MOST_COMPARED * 3
