"""What seams count, as it stands in the metrics."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from connector.records.identity import Identity
from connector.records.seam import Seam, SeamCounts, SeamSpec
from connector.telemetry import Metrics, SeamMetrics
from tests.unit.records.seam.test_identity_window import digest

SPEC = SeamSpec(identity=Identity(fields=(("id",),)), window=60.0, max_bytes=2**20)


class Bench:
    def __init__(self) -> None:
        self.now = 0.0
        self.metrics = Metrics(version="1")
        self.seams = SeamMetrics(self.metrics, lambda: self.now)
        self.metrics.at_scrape(self.seams.measure)

    def follow(self, spec: SeamSpec = SPEC, name: str = "orders") -> Seam[Any]:
        seam: Seam[Any] = Seam(spec)
        self.seams.follow(name, seam)
        return seam

    def value(self, name: str, subscription: str = "orders") -> float | None:
        self.metrics.render()
        return self.metrics.registry.get_sample_value(f"connector_{name}", {"subscription": subscription})


def receive(seam: Seam[Any], now: float, *numbers: int) -> None:
    assert seam.admits is not None
    seam.turn(now, seam.open_source())
    for number in numbers:
        seam.admits(digest(number), msgspec.Raw(b"{}"))
    seam.pending().settled()


@pytest.mark.parametrize(
    ("number", "metric"),
    [
        ("repeats", "rows_repeated_total"),
        ("joined", "rows_joined_total"),
        ("partial", "rows_partial_total"),
        ("conflicts", "rows_conflicting_total"),
        ("differences", "rows_differing_total"),
        ("unmatched", "rows_unmatched_total"),
        ("forgotten", "dedup_forgotten_rows_total"),
    ],
)
def test_each_number_has_its_metric(number: str, metric: str) -> None:
    bench = Bench()
    seam, _ = bench.follow(), bench.follow(name="trades")
    assert bench.value(metric) == 0  # there before anything happens
    setattr(seam.counts, number, 3)
    assert bench.value(metric) == 3
    setattr(seam.counts, number, 5)
    assert [bench.value(metric), bench.value(metric, "trades")] == [5, 0]
    others = [name for name in SeamCounts.__dataclass_fields__ if name != number]
    assert all(getattr(seam.counts, name) == 0 for name in others)


def test_repeats_and_how_far_back_they_are_known() -> None:
    bench = Bench()
    seam = bench.follow()
    receive(seam, 0.0, 1, 2, 1)
    assert (bench.value("rows_repeated_total"), bench.value("dedup_window_seconds")) == (1, 60)
    assert bench.value("dedup_bytes") == seam.size > 0


def test_the_window_is_less_where_memory_is_short() -> None:
    bench = Bench()
    seam = bench.follow(SeamSpec(identity=SPEC.identity, window=60.0, max_bytes=8_000))
    for second in range(50):
        receive(seam, float(second), *range(second * 40, second * 40 + 40))
    bench.now = 49.0
    window, forgotten = bench.value("dedup_window_seconds"), bench.value("dedup_forgotten_rows_total")
    assert window is not None
    assert 0 < window < 30
    assert forgotten == 2_000 - len(seam._window or ())


def test_without_a_window_there_is_no_series_of_it() -> None:
    bench = Bench()
    bench.follow()
    assert bench.value("dedup_window_seconds") == 60
    bench.follow(SeamSpec())  # the subscription was changed
    assert (bench.value("dedup_window_seconds"), bench.value("dedup_bytes")) == (None, 0)


def test_counters_go_on_where_a_subscription_gets_another_seam() -> None:
    bench = Bench()
    old = bench.follow()
    receive(old, 0.0, 1, 1)
    new = bench.follow()
    receive(old, 1.0, 1)  # what it received before it was replaced is on its way
    receive(new, 1.0, 1, 1, 1)
    assert bench.value("rows_repeated_total") == 4
    assert bench.value("rows_repeated_total") == 4


def test_a_subscription_that_is_no_more_is_not_measured() -> None:
    bench = Bench()
    seam = bench.follow()
    bench.follow()
    bench.seams.forget("orders")
    bench.metrics.forget_subscription("orders")
    receive(seam, 0.0, 1, 1)
    assert [bench.value(name) for name in ("rows_repeated_total", "dedup_bytes")] == [None, None]
    assert (bench.seams._seams, bench.seams._before) == ({}, {})  # nothing is kept of it
