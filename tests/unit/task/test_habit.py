"""What is usual between the rows of a subscription."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from connector.task.habit import HOUR, HOURS, LEARNT_AFTER, UNUSUAL_A_DAY, UNUSUAL_AMONG, Habit

SILENCES = st.lists(st.floats(0.0, 1e6), max_size=300)


def habit_of(*silences: float) -> Habit:
    habit = Habit()
    for silence in silences:
        habit.learn(silence)
    return habit


def test_none_is_assumed_before_some_silences_are_known() -> None:
    assert habit_of(*[1.0] * (LEARNT_AFTER - 1)).usual is None
    assert habit_of(*[1.0] * LEARNT_AFTER).usual == 1.0


def test_at_first_every_silence_is_habit() -> None:
    assert habit_of(*[1.0] * 500, 300.0, *[1.0] * 500).usual == 300.0


def test_a_few_long_silences_a_day_are_no_habit_of_a_subscription_that_is_known_for_a_day() -> None:
    day = [1.0] * int(HOUR * HOURS)
    habit = habit_of(*day)
    for _ in range(UNUSUAL_A_DAY):
        habit.learn(9 * HOUR)
    assert habit.usual == 1.0
    habit.learn(9 * HOUR)
    assert habit.usual == 9 * HOUR


def test_after_a_third_of_a_day_one_of_them_is_none() -> None:
    third = [1.0] * int(HOUR * HOURS / 3 - HOUR)
    assert habit_of(300.0, *third).usual == 300.0
    assert habit_of(300.0, *third, *[1.0] * 3600).usual == 1.0


def test_a_night_is_no_day_of_activity() -> None:
    assert habit_of(*[1.0] * 18_000, 20 * HOUR, *[1.0] * 3600).usual == 20 * HOUR


def test_of_a_subscription_with_few_rows_all_silences_are_habit() -> None:
    few = [HOUR] * (UNUSUAL_AMONG // 5)
    assert habit_of(*few, 5 * HOUR).usual == 5 * HOUR


def test_what_was_a_day_of_activity_ago_is_forgotten_and_a_night_is_not_a_day_of_it() -> None:
    pauses = [200.0] * 10
    day = [1.0] * int(HOUR * (HOURS + 2))
    assert habit_of(*pauses, *day).usual == 1.0
    assert habit_of(*[1.0] * int(HOUR * 10), *pauses, 14 * HOUR, *[1.0] * 7200).usual == 200.0


@given(SILENCES)
def test_the_usual_is_a_silence_that_there_was_and_at_first_the_longest(silences: list[float]) -> None:
    habit = habit_of(*silences)
    if len(silences) < LEARNT_AFTER:
        assert habit.usual is None
    elif len(silences) < UNUSUAL_AMONG and len(silences) <= HOURS:
        assert habit.usual == max(silences)
    else:
        assert habit.usual in silences


@given(st.integers(0, 2**32))
def test_what_is_remembered_does_not_grow(seed: int) -> None:
    rng, habit = random.Random(seed), Habit()
    for _ in range(300):
        habit.learn(rng.paretovariate(0.5))
    hours = habit._hours
    assert len(hours) <= HOURS
    assert max(len(hour.longest) for hour in hours) <= UNUSUAL_A_DAY + 1
