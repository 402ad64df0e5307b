"""Digests remembered in time-bucketed arrays, against a plain model: when each was last new."""

import tracemalloc

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.records.identity import DIGESTS
from connector.records.seam.ageing import MOST_SWEPT
from connector.records.seam.counts import SeamCounts
from connector.records.seam.digest_table import MOST_ENTRIES, DigestTable
from connector.records.seam.identity_window import IdentityWindow
from connector.records.seam.receipt import RowSource

ROW = msgspec.Raw(b"{}")
SOURCE = RowSource(1)
PLENTY = 2**30
LATER = 1_000_200.0


def digest(number: int) -> int:
    return DIGESTS[128](b"%d" % number)


def window(
    *, seconds: float = 100.0, max_bytes: int = PLENTY, counts: SeamCounts | None = None
) -> IdentityWindow:
    return IdentityWindow(seconds=seconds, max_bytes=max_bytes, counts=counts or SeamCounts())


def receive(one: IdentityWindow, now: float, *numbers: int) -> list[int]:
    """Return those of the rows that are wanted."""
    one.begin(now, SOURCE)
    wanted = [number for number in numbers if one.admits(digest(number), ROW)]
    one.end()
    return wanted


steps = st.lists(
    st.tuples(st.floats(0, 60), st.lists(st.integers(0, 300), max_size=60)), min_size=1, max_size=40
)


@given(steps)
def test_a_row_is_wanted_once_within_the_window(steps: list[tuple[float, list[int]]]) -> None:
    one = window(seconds=100.0)
    now = 0.0
    new_at: dict[int, float] = {}
    for pause, numbers in steps:
        now += pause
        wanted = receive(one, now, *numbers)
        again = {number for number in numbers if number in new_at and now - new_at[number] <= 100.0}
        assert not again.intersection(wanted)
        assert set(numbers) - set(new_at) <= set(wanted)
        assert len(wanted) == len(set(wanted))
        new_at.update(dict.fromkeys(wanted, now))


def test_what_is_old_goes_and_is_wanted_again() -> None:
    counts = SeamCounts()
    one = window(seconds=100.0, counts=counts)
    for second in range(400):
        receive(one, float(second), *range(second * 50, second * 50 + 50))
    # Those of the last hundred seconds, and of an eighth more that it has not come to.
    assert 5_000 <= len(one) <= 5_000 * 1.2
    assert receive(one, 399.0, 0, 19_999) == [0]
    assert counts == SeamCounts(repeats=1)


def test_after_a_silence_not_all_is_done_at_once_and_what_comes_stays() -> None:
    one = window(seconds=100.0)
    receive(one, 0.0, *range(50_000))
    receive(one, LATER, 60_000)
    assert len(one) > 50_000 - 2 * MOST_SWEPT * MOST_ENTRIES
    for step in range(1, 60):
        assert receive(one, LATER + step, 60_000, 60_000 + step) == [60_000 + step]
    assert len(one) == 60


@given(steps, st.integers(2_000, 8_000))
def test_a_budget_too_small_forgets_the_oldest_and_says_so(
    steps: list[tuple[float, list[int]]], max_bytes: int
) -> None:
    counts = SeamCounts()
    one = window(max_bytes=max_bytes, counts=counts)
    now = 0.0
    new_at: dict[int, float] = {}
    for pause, numbers in steps:
        now += pause
        covered = one.covered(now)
        wanted = receive(one, now, *numbers)
        assert one.size <= max_bytes
        assert set(numbers) - set(new_at) <= set(wanted)  # forgetting drops no row
        doubled = [number for number in wanted if number in new_at and now - new_at[number] <= 100.0]
        assert all(now - new_at[number] >= covered for number in doubled)
        new_at.update(dict.fromkeys(wanted, now))
    assert len(one) + counts.forgotten >= len(new_at) or now > 100.0
    assert (counts.forgotten > 0) == (one._ageing._last_squeezed is not None)


def test_how_far_back_it_reaches_is_told() -> None:
    counts = SeamCounts()
    one = window(seconds=640.0, max_bytes=32_000, counts=counts)
    assert one.covered(0.0) == 640.0
    for second in range(200):
        receive(one, float(second), *range(second * 20, second * 20 + 20))
    # Some 2,100 rows fit, which are 105 seconds' worth, and a generation is ten seconds long.
    assert 60.0 <= one.covered(199.0) <= 110.0
    assert 1_700 <= len(one) <= 2_300
    assert counts.forgotten == 4_000 - len(one)
    assert one.covered(2_000.0) == 640.0


@pytest.mark.parametrize("order", [1, -1])
def test_forgotten_rows_are_wanted_again(order: int) -> None:
    one = window()
    receive(one, 0.0, 1, 2)
    one.begin(1.0, SOURCE)
    assert [one.admits(digest(number), ROW) for number in (2, 3, 4)] == [False, True, True]
    one.forget(one.end()[::order])
    assert receive(one, 2.0, 1, 2, 3, 4) == [3, 4]
    one.forget([digest(9)])  # was never there


def test_it_knows_what_it_remembers() -> None:
    one = window()
    receive(one, 0.0, 1)
    assert one.remembers(digest(1))
    assert not one.remembers(digest(2))


def test_a_row_takes_less_than_seventeen_bytes_and_its_size_is_what_it_takes() -> None:
    one = window(seconds=1e6)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for start in range(0, 30_000, 1000):
        receive(one, float(start), *range(start, start + 1000))
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert len(one) == 30_000
    assert taken / 30_000 < 17
    assert one.size == pytest.approx(taken, rel=0.15)


def test_buckets_grow_one_at_a_time_and_evenly() -> None:
    table = DigestTable(11)
    for number in range(6_000):
        key = digest(number) >> 48
        table.bucket(key).extend(key.to_bytes(10, "little") + b"\0")
        before = len(table.buckets)
        table.added(1)
        assert len(table.buckets) - before <= 1
    assert max(map(len, table.buckets)) <= 4 * MOST_ENTRIES * table.width
    assert sum(map(len, table.buckets)) == 6_000 * table.width
    for number in range(6_000):
        key = digest(number) >> 48
        assert table.find(table.bucket(key), key.to_bytes(10, "little")) >= 0


def test_an_entry_is_found_only_where_one_begins() -> None:
    table = DigestTable(3)
    bucket = bytearray(b"abcdabxyz")  # "da" spans two entries
    assert table.find(bucket, b"cd") == -1
    assert table.find(bucket, b"da") == 3
    assert table.find(bucket, b"ab", 1) == -1
