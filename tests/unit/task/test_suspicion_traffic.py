"""
Suspicion against models of traffic, with fixed seeds: how often a session that lives is probed, and how soon
one that is dead.

What it does not prove: that real traffic is like any of these.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.task.siblings import PAUSE_FIRST
from connector.task.suspicion_policy import SuspicionPolicy
from tests.unit.task.doubting import (
    DAY,
    OVERLAP,
    REOPEN,
    Doubted,
    bursts,
    day_and_night,
    heavy_tailed,
    market,
    poisson,
    steady,
)

Traffic = Callable[[random.Random], Iterator[float]]


@pytest.mark.parametrize("policy", [REOPEN, OVERLAP], ids=["reopen", "overlap"])
@pytest.mark.parametrize(
    ("traffic", "days", "most"),
    [
        pytest.param(lambda rng: poisson(1.0, rng), 1, 0, id="a row a second"),
        pytest.param(lambda rng: poisson(10.0, rng), 3, 0, id="a row in ten seconds"),
        pytest.param(lambda rng: poisson(100.0, rng), 6, 0, id="a row in a hundred seconds"),
        pytest.param(lambda rng: poisson(3600.0, rng), 10, 0, id="a row an hour"),
        pytest.param(lambda rng: bursts(10.0, 120.0, rng), 2, 3, id="bursts every two minutes"),
        pytest.param(lambda rng: bursts(60.0, 300.0, rng), 2, 6, id="bursts every six minutes"),
        pytest.param(lambda rng: day_and_night(1.0, 120.0, rng), 2, 1, id="day and night"),
        pytest.param(lambda rng: heavy_tailed(10.0, rng), 4, 12, id="heavy tails"),
    ],
)
def test_live_sessions_are_hardly_probed(
    traffic: Traffic, days: int, most: int, policy: SuspicionPolicy
) -> None:
    """``most`` probes in all of the days, nearly all of them on the first, when little is known."""
    doubted = Doubted(traffic(random.Random(7)), policy)
    settle(doubted, days * DAY)
    assert len(doubted.probes) <= most
    assert "dead" not in doubted.verdicts


def test_a_market_that_closes_at_night_costs_a_few_probes_a_night_and_is_seen_by_day() -> None:
    doubted = Doubted(market(random.Random(7)))
    settle(doubted, 3 * DAY)
    assert len(doubted.probes) <= 3 * 30
    assert "dead" not in doubted.verdicts
    doubted.dead_at = 3 * DAY + 6 * 3600
    before = len(doubted.probes)
    settle(doubted, doubted.dead_at + 300)
    assert doubted.probes[before] - doubted.dead_at <= 90


@pytest.mark.parametrize(
    ("traffic", "after", "reopen", "overlap"),
    [
        pytest.param(lambda rng: steady(0.005), 60.0, 42, 22, id="200 rows a second for a minute"),
        pytest.param(lambda rng: poisson(1.0, rng), DAY / 4, 75, 50, id="a row a second"),
        pytest.param(lambda rng: poisson(10.0, rng), DAY, 900, 500, id="a row in ten seconds"),
        pytest.param(lambda rng: bursts(10.0, 120.0, rng), DAY, 5400, 3600, id="bursts every two minutes"),
    ],
)
def test_dead_sessions_are_found_in_time(
    traffic: Traffic, after: float, reopen: float, overlap: float
) -> None:
    for policy, most in ((REOPEN, reopen), (OVERLAP, overlap)):
        doubted = Doubted(traffic(random.Random(7)), policy)
        doubted.dead_at = after
        settle(doubted, after + most)
        assert doubted.probes
        assert doubted.probes[0] >= after + 15


def settle(doubted: Doubted, until: float) -> None:
    """Go on until then; a probe beside the session, which lives all the time, shows that or nothing."""
    while doubted.now < until:
        doubted.step()
        if len(doubted.findings) < len(doubted.probes) and doubted.now >= doubted.probes[-1] + 5.0:
            doubted.suspicion.nothing_proved(doubted.now)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.1, 3.0), st.floats(0.2, 200.0))
def test_whatever_the_traffic_probes_are_a_minute_apart_and_few_in_one_silence(
    seed: int, tail: float, least: float
) -> None:
    rng = random.Random(seed)
    moments = itertools.accumulate(least * rng.paretovariate(tail) for _ in itertools.count())
    doubted = Doubted(moments, SuspicionPolicy(quiet_after=30.0))
    settle(doubted, DAY / 8)
    pauses = [later - earlier for earlier, later in itertools.pairwise(doubted.probes)]
    assert all(pause >= PAUSE_FIRST for pause in pauses)
