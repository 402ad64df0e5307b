"""The states of a subscription."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """The life of a subscription, seen in metrics, logs and ``/readyz``."""

    TOKEN = "token"  # noqa: S105 - a state's name
    CONNECTING = "connecting"
    INITIALISING = "initialising"
    SUBSCRIBING = "subscribing"
    LIVE = "live"
    REOPENING = "reopening"
    SHEDDING = "shedding"
    WAITING = "waiting"
    FAILED = "failed"
    STOPPED = "stopped"
