"""What the worker's parts tell, and the series that it ends in."""

from __future__ import annotations

from connector.auth import TokenObserver
from connector.publish import Observer as PublishObserver
from connector.reload import Observer as ReloadObserver
from connector.telemetry import Metrics, PublisherMetrics, Redactor, ReloadMetrics, TokenMetrics

TOKEN = "ory_at_Zq-a-token-of-the-shop"


def test_a_new_token_is_known_to_the_redactor_and_requests_are_counted_by_whom_they_are_for() -> None:
    metrics, redactor = Metrics(version="1"), Redactor()
    told: TokenObserver = TokenMetrics(metrics.kafka_token_requests, redactor)
    told.token_changed(TOKEN)
    told.fetched("obtained")
    assert TOKEN not in redactor.redact(f"it is {TOKEN}")
    read = metrics.registry.get_sample_value
    assert read("connector_kafka_token_requests_total", {"outcome": "obtained"}) == 1
    assert read("connector_token_requests_total", {"outcome": "obtained"}) is None


def test_producers_and_refused_batches_are_counted_for_all_tasks_together() -> None:
    metrics = Metrics(version="1")
    tasks: list[PublishObserver] = [PublisherMetrics(metrics), PublisherMetrics(metrics)]
    for told in tasks:
        told.kafka_state("up")
        told.producer_rebuilt()
        told.batch_refused("too_large")
    read = metrics.registry.get_sample_value
    assert read("connector_kafka_rebuilds_total") == 2
    assert read("connector_batches_refused_total", {"reason": "too_large"}) == 2


def test_every_outcome_of_a_reload_has_a_series_and_the_alarm_comes_and_goes() -> None:
    metrics = Metrics(version="1")
    told: ReloadObserver = ReloadMetrics(metrics, ("applied", "invalid"))
    read = metrics.registry.get_sample_value
    assert read("connector_config_reloads_total", {"outcome": "applied"}) == 0
    told.reloaded("invalid")
    assert read("connector_config_reloads_total", {"outcome": "invalid"}) == 1
    seen = [read("connector_config_reload_failed")]
    for alarm in (True, False):
        told.rejected(alarm)
        seen.append(read("connector_config_reload_failed"))
    assert seen == [0, 1, 0]
