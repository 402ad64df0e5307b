"""How to publish, and who is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from connector.kafka import NewTopics


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishSettings:
    """
    ``create`` is ``None`` where topics must exist, and no admin call is made. Durations in seconds: without
    an answer for ``stall_after`` the brokers count as stalled, after ``give_up_after`` the producer is
    rebuilt; ``quiesce`` is what batches get to land before that.
    """

    create: NewTopics | None = None
    linger: float = 0.0
    stall_after: float = 10.0
    give_up_after: float = 120.0
    quiesce: float = 5.0


class Observer(Protocol):
    """What the publisher tells the outside; nothing here may raise or block."""

    def kafka_state(self, state: str) -> None:
        """``connecting``, ``up`` or ``stalled``."""

    def producer_rebuilt(self) -> None:
        """A producer was given up."""

    def batch_refused(self, reason: str) -> None:
        """The brokers refused a batch for its content."""
