import math
import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from connector.telemetry import Metrics, set_one

NAMES = {
    "build_info": ("version",),
    "session_state": ("subscription", "state"),
    "token_expires_in_seconds": (),
    "token_state": ("state",),
    "token_requests_total": ("outcome",),
    "kafka_token_expires_in_seconds": (),
    "kafka_token_state": ("state",),
    "kafka_token_requests_total": ("outcome",),
    "rows_received_total": ("subscription",),
    "rows_acked_total": ("subscription",),
    "frames_received_total": ("subscription",),
    "received_bytes_total": ("subscription",),
    "reconnects_total": ("subscription", "reason"),
    "rotations_total": ("subscription", "outcome"),
    "sessions_opened_total": ("subscription",),
    "uncovered_seconds_total": ("subscription",),
    "gaps_total": ("subscription", "outcome"),
    "gap_events_total": ("subscription", "event"),
    "gap_events_not_written_total": ("subscription", "reason"),
    "sheds_total": ("subscription",),
    "probes_total": ("subscription", "outcome"),
    "result_errors_total": ("subscription",),
    "null_results_total": ("subscription",),
    "full_messages_total": ("subscription",),
    "timestamps_replaced_total": ("subscription",),
    "keys_missing_total": ("subscription",),
    "identities_missing_total": ("subscription",),
    "rows_repeated_total": ("subscription",),
    "rows_joined_total": ("subscription",),
    "rows_partial_total": ("subscription",),
    "rows_unmatched_total": ("subscription",),
    "rows_conflicting_total": ("subscription",),
    "rows_differing_total": ("subscription",),
    "dedup_forgotten_rows_total": ("subscription",),
    "dedup_window_seconds": ("subscription",),
    "dedup_bytes": ("subscription",),
    "records_failed_total": ("subscription", "reason"),
    "records_skipped_total": ("subscription", "reason"),
    "dead_letters_total": ("subscription", "reason"),
    "inbox_bytes": (),
    "inbox_limit_bytes": (),
    "event_loop_lag_seconds": (),
    "log_lines_dropped_total": (),
    "tasks": (),
    "config_reloads_total": ("outcome",),
    "config_reload_failed": (),
    "kafka_state": ("state",),
    "kafka_refusals_total": ("code",),
    "topics_not_ready": (),
    "kafka_rebuilds_total": (),
    "offsets_state": ("state",),
    "offsets_written_total": (),
    "offsets_failed_total": (),
    "covered_until_timestamp_seconds": ("subscription",),
    "batches_refused_total": ("reason",),
    "receive_to_ack_seconds": ("subscription",),
    "event_to_ack_seconds": ("subscription",),
    "stream_seconds_total": ("subscription",),
    "last_row_timestamp_seconds": ("subscription",),
    "no_data_alarm": ("subscription",),
    "refused_alarm": ("subscription", "reason"),
    "token_alarm": (),
}
"""The names are a promise to dashboards and alerts: one that goes or changes is seen here."""


def rendered(metrics: Metrics) -> str:
    return metrics.render()[0].decode()


def ours(metrics: Metrics) -> list[str]:
    return [line for line in rendered(metrics).splitlines() if line.startswith("connector_")]


def test_every_promised_metric_is_there_with_its_labels_and_no_other() -> None:
    metrics = Metrics(version="1.2.3")
    found = {}
    for value in vars(metrics).values():
        if hasattr(value, "describe"):
            (family,) = value.describe()
            name = family.name + ("_total" if family.type == "counter" else "")
            found[name.removeprefix("connector_")] = tuple(value._labelnames)

    assert found == NAMES


def test_every_metric_has_help_type_and_a_base_unit() -> None:
    families = list(text_string_to_metric_families(rendered(Metrics(version="1"))))
    known = [family for family in families if family.name.startswith("connector_")]

    assert len(known) == len(NAMES)
    for family in known:
        assert family.documentation.endswith("."), family.name
        assert family.type in ("counter", "gauge", "histogram"), family.name
        assert not re.search(r"(milli|micro|minute|hour|kilo|mega)", family.name), family.name
        assert family.name.endswith("_total") is False, family.name


def test_the_process_is_measured_and_created_series_are_not_written() -> None:
    metrics = Metrics(version="1")
    metrics.rows_received.labels("a").inc(3)
    text = rendered(metrics)

    for name in ("process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"):
        assert re.search(rf"^{name} [0-9.e+]+$", text, re.MULTILINE), name
    assert "_created" not in text
    assert 'connector_rows_received_total{subscription="a"} 3.0' in text
    assert 'connector_build_info{version="1"} 1.0' in text


def test_two_of_them_share_nothing() -> None:
    one, other = Metrics(version="1"), Metrics(version="2")
    one.kafka_rebuilds.inc()

    assert "connector_kafka_rebuilds_total 1.0" in rendered(one)
    assert "connector_kafka_rebuilds_total 0.0" in rendered(other)


def test_one_state_is_set_and_the_others_are_cleared() -> None:
    metrics = Metrics(version="1")
    for state in ("token", "live"):
        set_one(metrics.session_state, ("token", "live", "failed"), state, "a")

    assert [
        metrics.registry.get_sample_value("connector_session_state", {"subscription": "a", "state": state})
        for state in ("token", "live", "failed")
    ] == [0.0, 1.0, 0.0]


def test_a_life_of_the_token_that_is_not_known_is_not_zero() -> None:
    value = Metrics(version="1").registry.get_sample_value("connector_token_expires_in_seconds")

    assert value is not None
    assert math.isnan(value)


def test_gauges_may_be_computed_when_asked_for() -> None:
    metrics = Metrics(version="1")
    values = iter([7, 8])
    metrics.at_scrape(lambda: metrics.inbox_bytes.set(next(values)))

    assert [f"connector_inbox_bytes {value}" in rendered(metrics) for value in ("7.0", "8.0")] == [True, True]


@pytest.mark.parametrize("subscription", ['a"b', "a\\b", "a\nb", "ä"])
def test_any_name_of_a_subscription_can_be_read_back(subscription: str) -> None:
    metrics = Metrics(version="1")
    metrics.sheds.labels(subscription).inc()

    samples = [
        sample
        for family in text_string_to_metric_families(rendered(metrics))
        for sample in family.samples
        if sample.name == "connector_sheds_total"
    ]
    assert [sample.labels["subscription"] for sample in samples] == [subscription]


def test_latency_is_told_apart_from_half_a_millisecond_to_a_minute() -> None:
    metrics = Metrics(version="1")
    metrics.receive_to_ack.labels("a").observe(0.0004)
    text = rendered(metrics)

    assert 'connector_receive_to_ack_seconds_bucket{le="0.0005",subscription="a"} 1.0' in text
    assert 'connector_receive_to_ack_seconds_bucket{le="60.0",subscription="a"} 1.0' in text


def test_the_content_type_is_prometheus_text() -> None:
    assert Metrics(version="1").render()[1].startswith("text/plain; version=")


def test_of_a_forgotten_subscription_no_series_is_left() -> None:
    metrics = Metrics(version="1")
    for name in ("gone", "stays"):
        set_one(metrics.session_state, ["live", "failed"], "live", name)
        metrics.rows_received.labels(name).inc()
        metrics.reconnects.labels(name, "closed").inc()
        metrics.receive_to_ack.labels(name).observe(1)
    metrics.token_requests.labels("obtained").inc()
    before = ours(metrics)
    metrics.forget_subscription("gone")

    assert any('"gone"' in line for line in before)
    assert [line for line in before if '"gone"' not in line] == ours(metrics)
