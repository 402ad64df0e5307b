"""Too many bad rows among the last ones, whatever the order in which they become known."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.task.window import Window


def verdicts(window: Window, numbers: list[int]) -> list[bool]:
    return [window.bad(number) for number in numbers]


def test_sixty_rows_all_bad_are_too_many_although_a_hundred_never_came() -> None:
    assert verdicts(Window(50, 100), list(range(60))) == [False] * 49 + [True] * 11


def test_as_many_in_more_rows_are_not() -> None:
    assert not any(verdicts(Window(50, 100), [3 * number for number in range(1000)]))


@pytest.mark.parametrize(("last", "too_many"), [(99, True), (100, False)])
def test_the_span_counts_both_ends(last: int, too_many: bool) -> None:
    assert verdicts(Window(3, 100), [0, 50, last])[-1] is too_many


def test_one_failure_of_one_row() -> None:
    assert Window(1, 1).bad(7)


def test_a_row_known_late_counts_where_it_stands() -> None:
    window = Window(3, 10)
    assert verdicts(window, [0, 100, 8, 200]) == [False] * 4
    assert window.bad(4)


def test_what_is_long_through_is_forgotten() -> None:
    window = Window(50, 100)
    for number in range(0, 100_000, 3):
        assert not window.bad(number)
        window.through(number + 1)
    assert len(window._bad) <= 50


@given(
    bad=st.sets(st.integers(0, 120), max_size=60),
    failures=st.integers(1, 12),
    rows=st.integers(1, 30),
    seed=st.integers(0, 1000),
    lag=st.integers(0, 40),
)
def test_it_says_what_the_definition_says(
    bad: set[int], failures: int, rows: int, seed: int, lag: int
) -> None:
    """Rows become known in a shuffled order, and are through once none before them is missing."""
    expected = any(
        sum(number in bad for number in range(start, start + rows)) >= failures for start in range(121)
    )
    shuffle = random.Random(seed)
    order = sorted(bad, key=lambda number: number + shuffle.randint(0, lag))
    window, found = Window(failures, rows), False
    for place, number in enumerate(order):
        found = window.bad(number) or found
        window.through(min(order[place + 1 :], default=121))
    assert found is expected
