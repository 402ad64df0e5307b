"""How long sessions overlap, and how early rotations begin."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.auth.grant import LONGEST_LIFE
from connector.auth.schedule import refresh_at
from connector.task.rotation_policy import LEAD_SHARE, Rotation, RotationPlan, end

OVERLAP = Rotation(kind="overlap")


def plan_of(count: int, parallelism: int = 2, rotation: Rotation = OVERLAP) -> RotationPlan:
    return RotationPlan(rotation=rotation, parallelism=parallelism, count=count)


@pytest.mark.parametrize("life", [60.0, 300.0, 18_000.0, math.inf])
def test_a_few_subscriptions_overlap_as_long_as_was_asked_for(life: float) -> None:
    times = plan_of(4).times(life)
    assert (times.overlap, times.overlap_max, times.reach, times.takes) == (5.0, 30.0, 5.0, 7.0)


def test_a_short_life_shortens_the_overlap_to_a_tenth_of_it() -> None:
    times = plan_of(1).times(5.0)
    assert (times.overlap, times.reach, times.takes) == (0.5, 0.5, 1.0)
    assert times.overlap_max == pytest.approx(3.0)  # of the 3.5 seconds that it may be used


@pytest.mark.parametrize(
    ("count", "life", "overlap"), [(50, 300.0, 5.0), (90, 300.0, 2.4), (500, 300.0, 1.0)]
)
def test_where_all_have_no_time_for_a_whole_one_overlaps_are_shorter_down_to_a_second(
    count: int, life: float, overlap: float
) -> None:
    assert plan_of(count).times(life).overlap == pytest.approx(overlap, abs=0.05)


def test_the_lead_grows_with_the_number_of_subscriptions_and_falls_with_the_parallelism() -> None:
    life = 18_000.0
    leads = [plan_of(count).lead(life) for count in (0, 1, 2, 3, 50, 500)]
    # As many rounds of seven seconds, a tenth more, and what is needed before the first and after the last,
    # which may wait for a session that lags.
    assert leads == pytest.approx([rounds * 7.7 + 6.5 + 25.0 for rounds in (1, 1, 1, 2, 25, 250)])
    assert plan_of(50, 10).lead(life) == pytest.approx(5 * 7.7 + 6.5 + 25.0)


def test_fifty_on_a_token_of_five_minutes_need_the_next_one_after_a_quarter_of_it() -> None:
    assert plan_of(50).lead(300.0) == pytest.approx(224.0)


@pytest.mark.parametrize("kind", ["reopen", "never"])
def test_without_overlap_the_number_does_not_matter(kind: str) -> None:
    assert plan_of(500, rotation=Rotation(kind=kind)).lead(300.0) == 0.0  # type: ignore[arg-type]


def test_a_life_that_is_not_known_asks_for_nothing() -> None:
    assert plan_of(500).lead(math.inf) == 0.0


@given(
    st.integers(0, 2000),
    st.integers(1, 50),
    st.floats(0.01, LONGEST_LIFE),
    st.floats(0.01, 600.0),
    st.floats(0.0, 600.0),
)
def test_all_of_it_is_within_the_life_of_a_token(
    count: int, parallelism: int, life: float, overlap: float, more: float
) -> None:
    rotation = Rotation(kind="overlap", overlap=overlap, overlap_max=overlap + more)
    plan = plan_of(count, parallelism, rotation)
    times = plan.times(life)
    assert 0 < times.overlap <= times.reach <= life / 10 * (1 + 1e-9)
    assert times.overlap <= overlap
    assert times.overlap <= times.overlap_max <= overlap + more
    # One that begins when the plan says so is over before the end; its recording before it, too.
    assert times.overlap + times.reach + end(life) <= plan.lead(life) + 1e-9 * life or count > parallelism
    assert plan.lead(life) <= LEAD_SHARE * life + 1e-9 * life


@given(st.floats(0.01, LONGEST_LIFE), st.integers(1, 500), st.floats(0, 0.999), st.floats(0, 0.999))
def test_the_next_token_is_asked_for_before_the_first_rotation_and_not_at_once(
    life: float, count: int, first: float, second: float
) -> None:
    lead = plan_of(count).lead(life)
    rng = itertools.cycle([first, second]).__next__
    due = refresh_at(asked_at=50.0, now=50.0, life=life, rng=rng, needed=lead)
    assert due <= max(50.0 + life - lead, 51.0) + 1e-9 * life
    assert due >= 50.0 + life * (1 - LEAD_SHARE * 1.05) - 1e-9 * life
