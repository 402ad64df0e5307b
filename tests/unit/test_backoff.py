"""How long to wait before the next attempt."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from connector.backoff import Backoff, Steps

RNG = st.lists(st.floats(0, 1, exclude_max=True), min_size=20, max_size=20)


@given(RNG)
def test_full_jitter_stays_below_a_ceiling_that_doubles(draws: list[float]) -> None:
    it = iter(draws)
    backoff = Backoff(first=1, cap=16, rng=lambda: next(it))
    ceilings = [1, 2, 4, 8] + [16] * 16
    assert all(0 <= backoff.next() <= ceiling for ceiling in ceilings)


@given(RNG)
def test_steps_are_never_shorter_than_the_first_nor_longer_than_the_cap(draws: list[float]) -> None:
    it = iter(draws)
    steps = Steps(first=5, cap=60, rng=lambda: next(it))
    waits = [steps.next() for _ in draws]
    assert all(5 <= wait <= 60 for wait in waits)
    assert all(later > earlier for earlier, later in pairwise(waits[:4]))
    assert min(waits[4:]) >= 48


def test_nobody_comes_sooner_than_asked() -> None:
    assert Steps(first=5, cap=60).next(at_least=77) == 77
    assert Backoff(first=5, cap=60).next(at_least=77) == 77


def test_starting_over() -> None:
    steps = Steps(first=5, cap=60, rng=lambda: 0.0)
    assert [steps.next(), steps.next()] == [5, 10]
    steps.reset()
    assert steps.next() == 5
