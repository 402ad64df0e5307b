"""Metrics, logs, and the redaction of secrets."""

from connector.telemetry.logs import configure_logs, install_loop_handler, people_read
from connector.telemetry.loop import LoopWatch
from connector.telemetry.metrics import Metrics, set_one
from connector.telemetry.redaction import Redactor
from connector.telemetry.summary import Summary

__all__ = [
    "LoopWatch",
    "Metrics",
    "Redactor",
    "Summary",
    "configure_logs",
    "install_loop_handler",
    "people_read",
    "set_one",
]
