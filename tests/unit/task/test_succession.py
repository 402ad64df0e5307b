"""When a session gives way to one with a newer token."""

from __future__ import annotations

import itertools

import pytest

from connector.auth.schedule import refresh_at
from connector.task import succession

LIVES = (10.0, 12.0, 60.0, 600.0, 3600.0, 86_400.0, 30 * 86_400.0)


@pytest.mark.parametrize("life", LIVES)
@pytest.mark.parametrize("share_left", [1.0, 0.6, 0.3])
def test_it_is_gone_before_a_server_that_counts_whole_seconds_ends_it(life: float, share_left: float) -> None:
    left = life * share_left  # of a session opened in the midst of a token's life
    for jitter, chance in itertools.product((0.0, 0.5, 0.999), repeat=2):
        newer_at = refresh_at(asked_at=0.0, now=0.1, life=life, rng=itertools.repeat(jitter).__next__)
        at = max(newer_at, life - succession.lead(left))
        at += chance * succession.spread(left, life - at)
        assert at <= life - 1.5


@pytest.mark.parametrize("life", [3600.0, 86_400.0])
def test_sessions_are_spread_where_there_is_time(life: float) -> None:
    assert succession.spread(life, succession.lead(life)) == succession.SPREAD_MAX


@pytest.mark.parametrize(("left", "lead"), [(0, 0), (1, 0.5), (4, 1.5), (12, 3), (86_400, 600)])
def test_it_is_replaced_in_the_last_quarter_of_its_life_or_half_of_a_short_one(
    left: float, lead: float
) -> None:
    assert succession.lead(left) == lead


def test_there_is_no_spread_where_the_newer_token_came_late() -> None:
    assert succession.spread(3600.0, 1.0) == 0.0


@pytest.mark.parametrize("ago", [0.0, 3.0, 1000.0])
def test_sessions_that_outlived_their_token_are_spread(ago: float) -> None:
    assert succession.spread(3600.0, -ago) == succession.SPREAD_MAX
