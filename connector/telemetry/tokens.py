"""Metrics of tokens; and each new token, told to the redactor."""

from __future__ import annotations

from prometheus_client import Counter

from connector.telemetry.redaction import Redactor


class TokenMetrics:
    """Satisfies auth's `TokenObserver`. ``requests`` counts by outcome, `Metrics.token_requests` for one."""

    def __init__(self, requests: Counter, redactor: Redactor) -> None:
        self._requests = requests
        self._redactor = redactor

    def fetched(self, outcome: str) -> None:
        """Count a request."""
        self._requests.labels(outcome).inc()

    def token_changed(self, value: str) -> None:
        """Let the redactor know the token before anything can log it."""
        self._redactor.add(value, keep=False)
