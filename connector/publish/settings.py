"""How to publish, and who is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from connector.kafka import NewTopics


class EpochPolicy(Enum):
    """When what was received is durable."""

    ACKNOWLEDGED = auto()
    """Each submission by itself, once the brokers acknowledged its rows. Delivery is at least once."""

    COMMITTED = auto()
    """
    Many together, when `Epochs.end` says so. A producer is replaced at such a boundary, its successor
    started after it is gone: two with one transactional id would fence each other.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishSettings:
    """
    ``create`` is ``None`` where topics must exist, and no admin call is made. Durations in seconds: without
    an answer for ``stall_after`` the brokers count as stalled, after ``give_up_after`` the producer is
    rebuilt; ``quiesce`` is what batches in flight get before that. ``topics_max`` is how many topics may be
    made from fields of rows. ``epochs`` says when rows are durable.
    """

    create: NewTopics | None = None
    linger: float = 0.0
    stall_after: float = 10.0
    give_up_after: float = 120.0
    quiesce: float = 5.0
    topics_max: int = 1000
    epochs: EpochPolicy = EpochPolicy.ACKNOWLEDGED


class Observer(Protocol):
    """What the publisher tells the outside; nothing here may raise or block."""

    def kafka_state(self, state: str) -> None:
        """``connecting``, ``up``, ``stalled``, ``refused`` or ``throttled``."""

    def producer_rebuilt(self) -> None:
        """A producer was given up."""

    def kafka_refused(self, code: str) -> None:
        """The brokers answered a batch with ``code``, which ended the producer."""

    def batch_refused(self, reason: str) -> None:
        """The brokers refused a batch for its content."""
