"""What is counted apart ends in the series as if the library had counted it."""

import pytest
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import generate_latest

from connector.telemetry import Metrics
from connector.telemetry.tally import Spread

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


def test_counts_go_into_the_series_when_they_are_asked_for_and_once() -> None:
    metrics = Metrics(version="1")
    old, new = metrics.tally("s"), metrics.tally("s")  # as after a change of the subscription
    old.received(3, 100)
    new.received(2, 50)
    old.acknowledged(4, 2, 0.002)
    new.event_lag(-1.0, 2)
    for _ in range(2):
        text = metrics.render()[0].decode()
    for line in (
        'connector_rows_received_total{subscription="s"} 5.0',
        'connector_frames_received_total{subscription="s"} 2.0',
        'connector_received_bytes_total{subscription="s"} 150.0',
        'connector_rows_acked_total{subscription="s"} 4.0',
        'connector_receive_to_ack_seconds_count{subscription="s"} 2.0',
        'connector_event_to_ack_seconds_count{subscription="s"} 2.0',
    ):
        assert line in text, line


def test_a_forgotten_subscription_leaves_no_series_behind() -> None:
    metrics = Metrics(version="1")
    tally = metrics.tally("s")
    tally.received(1, 1)
    metrics.render()
    metrics.forget_subscription("s")
    tally.received(1, 1)
    assert 'subscription="s"' not in metrics.render()[0].decode()
    assert metrics.tally("s") is not tally
