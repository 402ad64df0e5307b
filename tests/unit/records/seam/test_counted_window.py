"""Rows matched by count across sources, against a plain model: how often each source brought each."""

from collections import Counter, defaultdict

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.records.identity import DIGESTS
from connector.records.seam.counted_window import MOST_COPIES, CountedWindow
from connector.records.seam.counts import SeamCounts
from connector.records.seam.receipt import RowSource

PLENTY = 2**30

Row = tuple[int, int]
"""Which identity it has, and what else it says."""


def window(*, max_bytes: int = PLENTY, counts: SeamCounts | None = None) -> CountedWindow:
    return CountedWindow(seconds=100.0, max_bytes=max_bytes, counts=counts or SeamCounts())


def raw(row: Row, space: str = "") -> msgspec.Raw:
    return msgspec.Raw(f'{{"id":{row[0]},{space}"said":{row[1]}}}'.encode())


def receive(one: CountedWindow, source: int, *rows: Row, now: float = 0.0) -> list[Row]:
    """Return those of the rows that are wanted."""
    one.begin(now, RowSource(source))
    wanted = [row for row in rows if one.admits(DIGESTS[128](b"%d" % row[0]), raw(row, " " * source))]
    one.end()
    return wanted


rows = st.tuples(st.integers(0, 5), st.integers(0, 2))


@given(st.lists(st.tuples(st.integers(1, 3), st.lists(rows, max_size=6)), max_size=5))
def test_a_row_is_wanted_when_its_source_brought_more_of_it_than_any_other(
    receipts: list[tuple[int, list[Row]]],
) -> None:
    counts = SeamCounts()
    one = window(counts=counts)
    brought: defaultdict[int, Counter[Row]] = defaultdict(Counter)
    published: Counter[Row] = Counter()
    for source, rows in receipts:
        published.update(receive(one, source, *rows))
        brought[source].update(rows)
        for row in set().union(*brought.values()):
            assert published[row] == max(of_source[row] for of_source in brought.values())
    everything = sum(len(rows) for _, rows in receipts)
    assert counts.repeats == everything - published.total()


def test_rows_that_one_source_brings_twice_are_two() -> None:
    one = window()
    assert receive(one, 1, (1, 0), (1, 0)) == [(1, 0), (1, 0)]
    assert receive(one, 2, (1, 0), (1, 0), (1, 0)) == [(1, 0)]


def test_other_content_is_a_conflict_in_one_source_and_a_difference_between_two() -> None:
    counts = SeamCounts()
    one = window(counts=counts)
    assert receive(one, 1, (1, 0), (2, 0)) == [(1, 0), (2, 0)]
    assert receive(one, 2, (1, 1)) == [(1, 1)]
    assert (counts.conflicts, counts.differences) == (0, 1)
    assert receive(one, 1, (2, 1)) == [(2, 1)]
    assert (counts.conflicts, counts.differences) == (1, 1)
    assert receive(one, 3, (2, 1), (2, 0)) == []
    assert (counts.conflicts, counts.differences, counts.repeats) == (1, 1, 2)


def test_a_session_that_is_joined_to_another_goes_on_with_its_counts() -> None:
    counts = SeamCounts()
    one = window(counts=counts)
    old, new = RowSource(1), RowSource(2)
    new.stream = old.stream
    for source, said in ((old, 0), (new, 0), (new, 1)):
        one.begin(0.0, source)
        assert one.admits(DIGESTS[128](b"1"), raw((1, said)))
        one.end()
    # The rows that both brought were left once already, so that the second is another row.
    assert (counts.repeats, counts.conflicts, counts.differences) == (0, 1, 0)


def test_forgotten_rows_count_as_not_brought() -> None:
    one = window()
    receive(one, 1, (1, 0))
    one.begin(0.0, RowSource(1))
    assert one.admits(DIGESTS[128](b"1"), raw((1, 0)))
    one.forget(one.end())
    assert receive(one, 2, (1, 0), (1, 0)) == [(1, 0)]


def test_an_identity_that_all_rows_share_does_not_make_them_slow() -> None:
    counts = SeamCounts()
    one = window(counts=counts)
    assert len(receive(one, 1, *((1, said) for said in range(500)))) == 500
    assert counts.conflicts == 499
    assert len(one) == MOST_COPIES
    assert counts.forgotten == 500 - MOST_COPIES


@pytest.mark.parametrize("max_bytes", [3_000, 10_000])
def test_within_its_budget_it_drops_nothing_that_came_once(max_bytes: int) -> None:
    counts = SeamCounts()
    one = window(max_bytes=max_bytes, counts=counts)
    for second in range(40):
        rows = [(second * 50 + number, 0) for number in range(50)]
        assert receive(one, second, *rows, now=float(second)) == rows
        assert one.size <= max_bytes
        assert one.covered(second) <= 100.0
    assert counts.forgotten == 2_000 - len(one)


def test_a_row_takes_less_than_thirty_bytes() -> None:
    one = window()
    for start in range(0, 20_000, 1000):
        receive(one, 1, *((number, 0) for number in range(start, start + 1000)))
    assert one.size / len(one) < 30
