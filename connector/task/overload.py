"""How often a subscription had to shed."""

from __future__ import annotations

import time

import structlog

from connector.backoff import Backoff

log = structlog.get_logger(__name__)

SUSTAINED_AFTER = 3
"""Sheds in a row that make an alarm of it."""

FORGOTTEN_AFTER = 900.0
"""Seconds without a shed after which the next one is the first in a row; longer than any cooldown."""


class Overload:
    """
    One subscription's memory of its sheds; each in a row is followed by a longer pause.

    ``to_kafka`` says who takes the rows: the brokers, or whoever reads our output.
    """

    def __init__(self, name: str, *, to_kafka: bool = True) -> None:
        self._name = name
        self._to_kafka = to_kafka
        self._cooldown = Backoff(first=2.0, cap=300.0, rng=lambda: 1.0)
        self._sheds = 0
        self._shed_at = 0.0

    def shed(self, *, held: int, bound: int) -> None:
        """A session is closed because memory runs short, of which ``bound`` bytes are there."""
        now = time.monotonic()
        if now - self._shed_at > FORGOTTEN_AFTER:
            self._sheds = 0
            self._cooldown.reset()
        self._shed_at = now
        self._sheds += 1
        sustained = self._sheds >= SUSTAINED_AFTER
        (log.error if sustained else log.warning)(
            "sustained_overload"
            if sustained
            else "session is shed: kafka takes less than the upstream sends"
            if self._to_kafka
            else "session is shed: the output's reader takes less than the upstream sends",
            subscription=self._name,
            held_bytes=held,
            bound_bytes=bound,
        )

    def pause(self) -> float:
        """Return the seconds to wait before the next session."""
        return self._cooldown.next()
