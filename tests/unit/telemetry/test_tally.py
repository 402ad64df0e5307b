"""What is counted apart ends in the series as if the library had counted it."""

import pytest
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import generate_latest

from connector.telemetry import Spread

EDGES = (0.1, 1.0, 10.0)


def histogram() -> tuple[CollectorRegistry, Histogram]:
    registry = CollectorRegistry()
    return registry, Histogram("seconds", "Some.", buckets=EDGES, registry=registry)


def rendered(registry: CollectorRegistry) -> list[bytes]:
    """Without the moment of creation, and the sum, which is added up in another order."""
    lines = generate_latest(registry).splitlines()
    return [line for line in lines if b"_created" not in line and b"_sum" not in line]


def total(registry: CollectorRegistry) -> float:
    found = registry.get_sample_value("seconds_sum")
    assert found is not None
    return found


@pytest.mark.parametrize("pours", [1, 3])
def test_a_spread_is_the_librarys_histogram(pours: int) -> None:
    values = [(0.0, 1), (0.1, 2), (0.25, 1), (1.0, 3), (9.5, 1), (10.0, 1), (50.0, 2)]
    theirs, expected = histogram()
    ours, series = histogram()
    spread = Spread(series, EDGES)
    for _ in range(pours):
        for value, times in values:
            spread.observe(value, times)
            for _ in range(times):
                expected.observe(value)
        spread.pour()
    spread.pour()  # nothing new
    assert rendered(ours) == rendered(theirs)
    assert total(ours) == pytest.approx(total(theirs))
