"""What one subscription tells, and the series that it ends in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connector.task import State, SubscriptionObserver
from connector.telemetry import GapEventMetrics, Metrics, SubscriptionMetrics

Tell = Callable[[SubscriptionObserver], None]


def value(metrics: Metrics, name: str, subscription: str = "orders", **labels: str) -> float | None:
    metrics.render()  # pours the tallies
    return metrics.registry.get_sample_value(f"connector_{name}", {"subscription": subscription, **labels})


def odd(told: SubscriptionObserver, *, keys: int = 0, identities: int = 0, times: int = 0) -> None:
    told.oddities(keys_missing=keys, identities_missing=identities, times_replaced=times)


@pytest.mark.parametrize(
    ("tell", "name", "labels", "expected"),
    [
        (lambda told: told.session_opened(), "sessions_opened_total", {}, 1),
        (lambda told: told.reconnect("silent"), "reconnects_total", {"reason": "silent"}, 1),
        (lambda told: told.shed(), "sheds_total", {}, 1),
        (lambda told: told.probed("dead"), "probes_total", {"outcome": "dead"}, 1),
        (lambda told: told.no_data(True), "no_data_alarm", {}, 1),
        (lambda told: told.uncovered(2.5), "uncovered_seconds_total", {}, 2.5),
        (lambda told: told.gap("unfilled"), "gaps_total", {"outcome": "unfilled"}, 1),
        (lambda told: told.streamed(3.5), "stream_seconds_total", {}, 3.5),
        (lambda told: told.received(3, 100), "rows_received_total", {}, 3),
        (lambda told: told.received(3, 100), "frames_received_total", {}, 1),
        (lambda told: told.received(3, 100), "received_bytes_total", {}, 100),
        (lambda told: told.acknowledged(4, 2, 0.1), "rows_acked_total", {}, 4),
        (lambda told: told.acknowledged(4, 2, 0.1), "receive_to_ack_seconds_count", {}, 2),
        (lambda told: told.event_lag(1.0, 3), "event_to_ack_seconds_count", {}, 3),
        (lambda told: told.full_message(), "full_messages_total", {}, 1),
        (lambda told: told.result_errors(5), "result_errors_total", {}, 5),
        (lambda told: told.null_result(), "null_results_total", {}, 1),
        (lambda told: odd(told, keys=2), "keys_missing_total", {}, 2),
        (lambda told: odd(told, identities=4), "identities_missing_total", {}, 4),
        (lambda told: odd(told, times=3), "timestamps_replaced_total", {}, 3),
        (lambda told: told.record_failed("too_large"), "records_failed_total", {"reason": "too_large"}, 1),
        (lambda told: told.record_skipped("too_large"), "records_skipped_total", {"reason": "too_large"}, 1),
        (lambda told: told.dead_lettered("too_large"), "dead_letters_total", {"reason": "too_large"}, 1),
    ],
)
def test_what_is_told_is_counted_once_and_for_that_subscription_only(
    tell: Tell, name: str, labels: dict[str, str], expected: float
) -> None:
    metrics = Metrics(version="1")
    told, other = SubscriptionMetrics(metrics, "orders"), SubscriptionMetrics(metrics, "trades")
    other.no_data(False)
    tell(told)
    assert value(metrics, name, **labels) == expected
    assert not value(metrics, name, "trades", **labels)


def test_of_all_states_there_is_a_series_and_one_is_set() -> None:
    metrics = Metrics(version="1")
    told = SubscriptionMetrics(metrics, "orders")
    for current in (State.TOKEN, State.LIVE):
        told.state(current)
        found = {state: value(metrics, "session_state", state=state.value) for state in State}
        assert found == {state: float(state is current) for state in State}


def test_the_alarm_of_a_refusal_is_that_of_the_last_reason() -> None:
    metrics = Metrics(version="1")
    told = SubscriptionMetrics(metrics, "orders")
    seen = []
    for reason in ("unpaid", "forbidden", "forbidden", None):
        told.refused(reason)
        seen.append([value(metrics, "refused_alarm", reason=name) for name in ("unpaid", "forbidden")])
    assert seen == [[1, None], [0, 1], [0, 1], [0, 0]]


def test_an_alarm_that_was_left_raised_under_the_name_is_cleared() -> None:
    metrics = Metrics(version="1")
    SubscriptionMetrics(metrics, "orders").no_data(True)
    SubscriptionMetrics(metrics, "orders")
    assert value(metrics, "no_data_alarm") == 0


def test_counters_of_time_never_go_back() -> None:
    metrics = Metrics(version="1")
    told = SubscriptionMetrics(metrics, "orders")
    told.uncovered(-0.1)
    told.streamed(-0.1)
    assert (value(metrics, "uncovered_seconds_total"), value(metrics, "stream_seconds_total")) == (0, 0)


def test_what_is_told_of_every_frame_goes_to_the_tally_without_a_call_in_between() -> None:
    metrics = Metrics(version="1")
    told, tally = SubscriptionMetrics(metrics, "orders"), metrics.tally("orders")
    assert (told.received, told.acknowledged, told.event_lag) == (
        tally.received,
        tally.acknowledged,
        tally.event_lag,
    )


def test_series_that_alerts_ask_for_are_there_before_anything_is_told() -> None:
    metrics = Metrics(version="1")
    SubscriptionMetrics(metrics, "orders")
    assert value(metrics, "gaps_total", outcome="unfilled") == 0
    assert [value(metrics, name) for name in ("sheds_total", "no_data_alarm")] == [0, 0]


def test_what_became_of_events_is_counted() -> None:
    metrics = Metrics(version="1")
    told = GapEventMetrics(metrics, "orders")
    told.gap_event("gap_opened")
    told.gap_event_not_written("merged")
    assert value(metrics, "gap_events_total", event="gap_opened") == 1
    assert value(metrics, "gap_events_not_written_total", reason="merged") == 1
