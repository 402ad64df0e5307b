"""Metrics, logs, and the redaction of secrets."""

from connector.telemetry.logs import configure_logs, install_loop_handler
from connector.telemetry.loop import LoopWatch
from connector.telemetry.metrics import FRESHNESS_BUCKETS, LATENCY_BUCKETS, Metrics, set_one
from connector.telemetry.redaction import Redactor
from connector.telemetry.tally import Spread

__all__ = [
    "FRESHNESS_BUCKETS",
    "LATENCY_BUCKETS",
    "LoopWatch",
    "Metrics",
    "Redactor",
    "Spread",
    "configure_logs",
    "install_loop_handler",
    "set_one",
]
