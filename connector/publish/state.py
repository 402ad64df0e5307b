"""Whether Kafka answers."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import structlog

from connector.publish.settings import Observer

log = structlog.get_logger(__name__)


class KafkaState:
    """
    ``name`` is ``connecting``, ``up``, ``stalled``, ``refused`` or ``throttled``; empty at first. ``up`` is
    an acknowledgement: after trouble a producer that has started is not enough, where rows wait.
    ``refused``: brokers answer batches with an error code that does not pass, and is not the rows', as where
    a right is missing. ``throttled``: a quota makes them wait.

    ``answered`` is set for good once brokers answered. ``error`` says what keeps them from it now; ``None``
    where nothing does, or nothing is known.
    """

    def __init__(self, observer: Observer) -> None:
        self.name = ""
        self.error: str | None = None
        self.answered = anyio.Event()
        self._observer = observer
        self._is_trouble = True
        self._refusal: str | None = None
        self.is_unproven: Callable[[], bool] = lambda: False
        """Whether rows were sent in vain that have not been acknowledged since."""

    def connecting(self, *, is_trouble: bool = True) -> None:
        """A producer is being made, because of trouble with the brokers or of something else."""
        self._is_trouble = is_trouble
        if self._refusal is None:  # else the brokers are there
            self._become("connecting")

    def unreachable(self, error: str) -> None:
        """No producer can be made, for ``error``."""
        self._is_trouble = True
        self._become("connecting")
        self.error = error

    def refused(self, error: str | None) -> None:
        """Brokers go on refusing batches, for ``error``; ``None``: they acknowledged what was refused."""
        before, self._refusal = self._refusal, error
        if error is not None:
            if error != before:
                log.error("kafka refuses rows", error=error)
            self.error = error
            self._become("refused")
        elif before is not None:
            self.error = None
            log.info("kafka answers")
            if self.name == "refused":
                self._become("connecting" if self.is_unproven() else "up")

    def explain(self, error: str | None) -> None:
        """Take note of what was found to be wrong."""
        self.error = error

    def heard(self) -> None:
        """Brokers answered a question; that is no acknowledgement of rows."""
        self.answered.set()
        if self.name not in ("stalled", "throttled") and not self.is_unproven():
            self.recovered()

    def recovered(self) -> None:
        """Brokers answered, and owe no acknowledgement."""
        if self._refusal is not None:
            self.answered.set()
            self.error = self._refusal
            self._become("refused")
            return
        self.error = None
        if self.name in ("stalled", "throttled") or (self.name == "connecting" and self._is_trouble):
            log.info("kafka answers")
        self.answered.set()
        self._become("up")

    def stalled(self, rows_waiting: int) -> bool:
        """Brokers do not acknowledge any more; return whether that is news."""
        if self._refusal is not None:  # which they say
            return False
        is_news = self.name != "stalled"
        if is_news:
            log.warning("kafka does not answer", rows_waiting=rows_waiting)
        self._become("stalled")
        return is_news

    def throttled(self, seconds: float) -> None:
        """A quota makes rows wait for ``seconds`` more."""
        if self.name != "throttled":
            log.warning("kafka throttles", seconds=round(seconds, 1))
        self.error = (
            f"a quota of the brokers makes rows wait for {seconds:.0f} s: raise producer_byte_rate of our "
            "user or client id, or send less"
        )
        self._become("throttled")

    def _become(self, name: str) -> None:
        if name != self.name:
            self.name = name
            self._observer.kafka_state(name)
