"""Metrics, logs, and the redaction of secrets."""

from connector.telemetry.background import BackgroundStream, log_in_background
from connector.telemetry.logs import configure_logs, install_loop_handler, people_read
from connector.telemetry.loop import LoopWatch
from connector.telemetry.metrics import Metrics, set_one
from connector.telemetry.offsets import OffsetsMetrics
from connector.telemetry.publishers import PublisherMetrics
from connector.telemetry.redaction import Redactor
from connector.telemetry.reloads import ReloadMetrics
from connector.telemetry.seams import SeamMetrics
from connector.telemetry.subscriptions import GapEventMetrics, SubscriptionMetrics
from connector.telemetry.summary import Summary
from connector.telemetry.terminal import printable, printable_lines
from connector.telemetry.tokens import TokenMetrics

__all__ = [
    "BackgroundStream",
    "GapEventMetrics",
    "LoopWatch",
    "Metrics",
    "OffsetsMetrics",
    "PublisherMetrics",
    "Redactor",
    "ReloadMetrics",
    "SeamMetrics",
    "SubscriptionMetrics",
    "Summary",
    "TokenMetrics",
    "configure_logs",
    "install_loop_handler",
    "log_in_background",
    "people_read",
    "printable",
    "printable_lines",
    "set_one",
]
