"""Every metric, in one list."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics import MetricWrapperBase

from connector.telemetry.tally import Spread, Tally

LATENCY_BUCKETS = (
    *(0.00025, 0.0005, 0.00075, 0.001, 0.0015, 0.002, 0.003, 0.005),
    *(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0),
)
FRESHNESS_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)

SUBSCRIPTION = ("subscription",)


class Metrics:
    """
    The connector's metrics on a registry of their own.

    Callbacks given to `at_scrape` run before each rendering: for what is known only by asking, and for what
    is counted too often to be counted here.
    """

    def __init__(self, *, version: str) -> None:
        # They double the series and tell nothing that a restart does not.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._callbacks: list[Callable[[], None]] = []
        self._tallies: dict[str, Tally] = {}
        ProcessCollector(registry=self.registry)
        self._sessions()
        self._rows()
        self._repeats()
        self._outside()
        self.build_info = self._gauge("build_info", "1, labelled with the version.", ("version",))
        self.build_info.labels(version).set(1)

    def _sessions(self) -> None:
        self.session_state = self._gauge(
            "session_state", "1 for the state that a subscription is in.", ("subscription", "state")
        )
        self.sessions_opened = self._counter("sessions_opened", "Sessions that became live.", SUBSCRIPTION)
        self.reconnects = self._counter(
            "reconnects", "Sessions that ended and were to be replaced.", ("subscription", "reason")
        )
        self.rotations = self._counter(
            "rotations",
            "Sessions that were opened beside another one to take over from it, by what became of that.",
            ("subscription", "outcome"),
        )
        self.uncovered_seconds = self._counter(
            "uncovered_seconds",
            "Seconds without a session: rows may have been missed.",
            SUBSCRIPTION,
        )
        self.gaps = self._counter(
            "gaps", "Periods that were not received, by what became of them.", ("subscription", "outcome")
        )
        self.gap_events = self._counter(
            "gap_events", "Records that the brokers have in the events topic.", ("subscription", "event")
        )
        self.gap_events_not_written = self._counter(
            "gap_events_not_written",
            "Gaps that the events topic tells of as a part of another, and events that it refused.",
            ("subscription", "reason"),
        )
        self.sheds = self._counter("sheds", "Sessions closed because memory ran short.", SUBSCRIPTION)
        self.probes = self._counter(
            "probes",
            "Sessions opened to find out whether one that is silent, or brings errors only, is dead.",
            ("subscription", "outcome"),
        )
        self.stream_seconds = self._counter(
            "stream_seconds", "Seconds of streams that the upstream bills.", SUBSCRIPTION
        )
        self.refused_alarm = self._gauge(
            "refused_alarm",
            "1 while a subscription is refused until somebody changes something.",
            ("subscription", "reason"),
        )
        self.no_data_alarm = self._gauge(
            "no_data_alarm", "1 while a live session brings no data for too long.", SUBSCRIPTION
        )

    def _rows(self) -> None:
        self.rows_received = self._counter("rows_received", "Rows received.", SUBSCRIPTION)
        self.rows_acked = self._counter("rows_acked", "Rows that the brokers acknowledged.", SUBSCRIPTION)
        self.frames_received = self._counter("frames_received", "Results received.", SUBSCRIPTION)
        self.received_bytes = self._counter("received_bytes", "Bytes of results received.", SUBSCRIPTION)
        self.result_errors = self._counter("result_errors", "GraphQL errors in results.", SUBSCRIPTION)
        self.null_results = self._counter("null_results", "Results without rows.", SUBSCRIPTION)
        self.full_messages = self._counter(
            "full_messages", "Messages with as many rows as the upstream ever sends in one.", SUBSCRIPTION
        )
        self.timestamps_replaced = self._counter(
            "timestamps_replaced", "Records stamped with another time than their event's.", SUBSCRIPTION
        )
        self.keys_missing = self._counter("keys_missing", "Records without their key.", SUBSCRIPTION)
        self.records_failed = self._counter(
            "records_failed", "Rows that could not be published.", ("subscription", "reason")
        )
        self.records_skipped = self._counter(
            "records_skipped",
            "Rows that could not be published and were left out.",
            ("subscription", "reason"),
        )
        self.dead_letters = self._counter(
            "dead_letters",
            "Rows and frames that the brokers have in the dead-letter topic.",
            ("subscription", "reason"),
        )
        self.last_row_timestamp = self._gauge(
            "last_row_timestamp_seconds", "When the last row came, seconds since 1970.", SUBSCRIPTION
        )
        self.covered_until = self._gauge(
            "covered_until_timestamp_seconds",
            "Up to when it is covered as the offsets topic has it, seconds since 1970.",
            SUBSCRIPTION,
        )
        self.receive_to_ack = Histogram(
            "connector_receive_to_ack_seconds",
            "From a frame's arrival to the acknowledgement of its last row.",
            SUBSCRIPTION,
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )
        self.event_to_ack = Histogram(
            "connector_event_to_ack_seconds",
            "From the newest event time in a frame to its acknowledgement.",
            SUBSCRIPTION,
            buckets=FRESHNESS_BUCKETS,
            registry=self.registry,
        )

    def _repeats(self) -> None:
        self.identities_missing = self._counter(
            "identities_missing", "Rows whose identity is null: their repeats are published.", SUBSCRIPTION
        )
        self.rows_repeated = self._counter(
            "rows_repeated", "Rows dropped since the window knew them.", SUBSCRIPTION
        )
        self.rows_joined = self._counter(
            "rows_joined", "Rows dropped since the other of two sessions brought them.", SUBSCRIPTION
        )
        self.rows_partial = self._counter(
            "rows_partial", "Rows of aggregates dropped since a new session began amid them.", SUBSCRIPTION
        )
        self.rows_unmatched = self._counter(
            "rows_unmatched", "Rows published that only the new of two sessions brought.", SUBSCRIPTION
        )
        self.rows_conflicting = self._counter(
            "rows_conflicting",
            "Rows published with a known identity and another content, of one session.",
            SUBSCRIPTION,
        )
        self.rows_differing = self._counter(
            "rows_differing",
            "Rows published with a known identity and another content, of two sessions.",
            SUBSCRIPTION,
        )
        self.dedup_forgotten_rows = self._counter(
            "dedup_forgotten_rows", "Rows forgotten early for want of memory.", SUBSCRIPTION
        )
        self.dedup_window = self._gauge(
            "dedup_window_seconds", "How many seconds back repeats are known now.", SUBSCRIPTION
        )
        self.dedup_bytes = self._gauge(
            "dedup_bytes", "Bytes of what is remembered of rows, and held of overlaps.", SUBSCRIPTION
        )

    def _outside(self) -> None:
        self.token_expires_in = self._gauge(
            "token_expires_in_seconds", "Seconds that the token has left; NaN where its life is unknown."
        )
        # Nothing was asked yet, and nothing has expired.
        self.token_expires_in.set(math.nan)
        self.token_state = self._gauge("token_state", "1 for the state that the token is in.", ("state",))
        self.token_alarm = self._gauge(
            "token_alarm", "1 while the token endpoint refuses, or fresh tokens are rejected."
        )
        self.token_requests = self._counter("token_requests", "Requests for a token.", ("outcome",))
        self.kafka_token_expires_in = self._gauge(
            "kafka_token_expires_in_seconds",
            "Seconds that the token for the brokers has left; NaN where that is unknown or none is used.",
        )
        self.kafka_token_expires_in.set(math.nan)
        self.kafka_token_state = self._gauge(
            "kafka_token_state", "1 for the state that the token for the brokers is in.", ("state",)
        )
        self.kafka_token_requests = self._counter(
            "kafka_token_requests", "Requests for a token for the brokers.", ("outcome",)
        )
        self.kafka_state = self._gauge("kafka_state", "1 for the state that Kafka is in.", ("state",))
        self.kafka_rebuilds = self._counter("kafka_rebuilds", "Producers that were given up.")
        self.kafka_refusals = self._counter(
            "kafka_refusals",
            "Batches that the brokers answered with an error that ended the producer.",
            ("code",),
        )
        self.topics_not_ready = self._gauge(
            "topics_not_ready", "Topics that rows or subscriptions wait for, for a reason that is known."
        )
        self.batches_refused = self._counter(
            "batches_refused", "Batches that the brokers refused for their content.", ("reason",)
        )
        self.offsets_state = self._gauge(
            "offsets_state", "1 for the state that the keeping of offsets is in.", ("state",)
        )
        self.offsets_written = self._counter("offsets_written", "Offsets that the brokers acknowledged.")
        self.offsets_failed = self._counter(
            "offsets_failed", "Writes of offsets that were not acknowledged, and are tried again."
        )
        self.inbox_bytes = self._gauge(
            "inbox_bytes", "Bytes received and not yet acknowledged, with their overhead."
        )
        self.inbox_limit_bytes = self._gauge("inbox_limit_bytes", "The bound of connector_inbox_bytes.")
        self.config_reloads = self._counter(
            "config_reloads", "Changes of the configuration that were found while running.", ("outcome",)
        )
        self.config_reload_failed = self._gauge(
            "config_reload_failed", "1 while the files of the configuration say something that does not run."
        )
        self.event_loop_lag = self._gauge(
            "event_loop_lag_seconds", "The latest that a timer of the event loop was in the last 15 seconds."
        )
        self.log_lines_dropped = self._counter(
            "log_lines_dropped",
            "Lines of the log that found no room since whoever reads it does not keep up.",
        )
        self.tasks = self._gauge("tasks", "Tasks of the event loop.")

    def _counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(f"connector_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, labels: Sequence[str] = ()) -> Gauge:
        return Gauge(f"connector_{name}", text, labels, registry=self.registry)

    def forget_subscription(self, name: str) -> None:
        """Take out every series of a subscription that is no more."""
        self._tallies.pop(name, None)
        for metric in vars(self).values():
            if isinstance(metric, MetricWrapperBase) and "subscription" in metric._labelnames:
                metric.remove_by_labels({"subscription": name})

    def at_scrape(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` before each rendering."""
        self._callbacks.append(callback)

    def tally(self, subscription: str) -> Tally:
        """Return what counts the frames of ``subscription``: the same, until that is forgotten."""
        found = self._tallies.get(subscription)
        if found is None:
            found = self._tallies[subscription] = Tally(
                rows=self.rows_received.labels(subscription),
                frames=self.frames_received.labels(subscription),
                size=self.received_bytes.labels(subscription),
                acknowledged=self.rows_acked.labels(subscription),
                latency=Spread(self.receive_to_ack.labels(subscription), LATENCY_BUCKETS),
                freshness=Spread(self.event_to_ack.labels(subscription), FRESHNESS_BUCKETS),
            )
        return found

    def rows(self) -> tuple[int, int]:
        """Return how many rows were received and acknowledged so far, of all subscriptions that are there."""
        for tally in self._tallies.values():
            tally.pour()
        names = list(self._tallies)
        received = sum(self.rows_received.labels(name)._value.get() for name in names)
        return int(received), int(sum(self.rows_acked.labels(name)._value.get() for name in names))

    def render(self) -> tuple[bytes, str]:
        """Return the metrics in Prometheus' text format, and its content type."""
        for callback in self._callbacks:
            callback()
        for tally in self._tallies.values():
            tally.pour()
        return generate_latest(self.registry), CONTENT_TYPE_LATEST


def set_one(gauge: Gauge, states: Sequence[str], current: str, *labels: str) -> None:
    """Set the series of ``current`` to 1 and those of the other ``states`` to 0."""
    for state in states:
        gauge.labels(*labels, state).set(1.0 if state == current else 0.0)
