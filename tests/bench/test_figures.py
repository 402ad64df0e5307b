import pytest

from tests.bench.report import TARGETS
from tests.bench.scale import herd
from tests.bench.watching import Moment, per_hour, slope
from tests.bench.whole import figures


def test_a_slope_is_that_of_the_line_through_the_points() -> None:
    assert slope([(0.0, 5.0), (1.0, 7.0), (3.0, 11.0)]) == pytest.approx(2.0)
    assert slope([(0.0, 0.0), (1.0, 2.0), (2.0, 1.0), (3.0, 3.0)]) == pytest.approx(0.8)
    assert slope([(1.0, 5.0)]) == 0.0


def test_growth_is_told_per_hour_and_of_the_second_half_only() -> None:
    rss = [500, 500, 500, 100, 101, 102]
    moments = [
        Moment(at=36.0 * place, rss=bytes_, descriptors=0, threads=0, cpu_seconds=0.0, more={})
        for place, bytes_ in enumerate(rss)
    ]
    assert per_hour(moments, lambda moment: moment.rss) == pytest.approx(100.0)


def test_a_herd_is_the_most_that_came_within_any_second() -> None:
    assert herd([]) == 0
    assert herd([0.0, 0.9, 1.1, 1.8, 3.0]) == 3
    assert herd([5.0, 0.0, 1.0, 2.0]) == 1


def test_of_the_tools_what_must_be_reached_is_picked_and_what_is_missing_is_left_out() -> None:
    startup = {"first_socket_s": 0.9, "idle_rss_mb": 74.1, "version_s": 0.3}
    scale = {"busy_100": {"core": 0.5, "rss_mb": 110.0}, "kb_per_idle_subscription": 3.0}
    found = figures({"startup": startup, "scale": scale, "stall": {"rss_peak_mb": 140.2}})
    assert found == {
        "first_socket_s": 0.9,
        "idle_rss_mb": 74.1,
        "busy_100_core": 0.5,
        "busy_100_rss_mb": 110.0,
        "stall_peak_mb": 140.2,
    }
    assert set(found) <= set(TARGETS)
    assert figures({"stall": {"rss_peak_mb": 140.2}}) == {"stall_peak_mb": 140.2}
