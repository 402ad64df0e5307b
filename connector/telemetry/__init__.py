"""Metrics, logs, and the redaction of secrets."""

from connector.telemetry.logs import configure_logs, install_loop_handler
from connector.telemetry.loop import LoopWatch
from connector.telemetry.metrics import Metrics, set_one
from connector.telemetry.redaction import Redactor

__all__ = [
    "LoopWatch",
    "Metrics",
    "Redactor",
    "configure_logs",
    "install_loop_handler",
    "set_one",
]
