"""Whether Kafka answers."""

from __future__ import annotations

import anyio
import structlog

from connector.publish.settings import Observer

log = structlog.get_logger(__name__)


class KafkaState:
    """
    ``name`` is ``connecting``, ``up`` or ``stalled``; empty at first.

    ``answered`` is set for good once brokers answered.
    """

    def __init__(self, observer: Observer) -> None:
        self.name = ""
        self.answered = anyio.Event()
        self._observer = observer

    def connecting(self) -> None:
        """A producer is being made."""
        self._become("connecting")

    def heard(self) -> None:
        """Brokers answered."""
        if self.name in ("stalled", "connecting"):
            log.info("kafka answers")
        self.answered.set()
        self._become("up")

    def stalled(self, rows_waiting: int) -> None:
        """Brokers do not answer any more."""
        if self.name != "stalled":
            log.warning("kafka does not answer", rows_waiting=rows_waiting)
        self._become("stalled")

    def _become(self, name: str) -> None:
        if name != self.name:
            self.name = name
            self._observer.kafka_state(name)
