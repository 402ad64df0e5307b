"""What cannot be published as it is, with all that is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from connector.errors import DataError
from connector.records.record import Headers, Value


class Stage(StrEnum):
    """Where it went wrong, in Kafka Connect's words (``org.apache.kafka.connect.runtime.errors.Stage``)."""

    POLL = "TASK_POLL"
    VALUE = "VALUE_CONVERTER"
    KEY = "KEY_CONVERTER"
    HEADER = "HEADER_CONVERTER"
    TOPIC = "TRANSFORMATION"
    PRODUCE = "KAFKA_PRODUCE"


class Unconvertible(DataError):
    """A row cannot become a record; ``stage`` says at which part of it."""

    def __init__(self, message: str, stage: Stage) -> None:
        super().__init__(message)
        self.stage = stage


class ThroughList(Unconvertible):
    """A path of the configuration leads through a list, so that no field of the row is meant by it."""

    def __init__(self, path: str, place: str, stage: Stage) -> None:
        super().__init__(f"{path} leads through {place}, which is a list", stage)


class UnreadableResult(Unconvertible):
    """A result came that no rows can be read from."""

    reason = "frame"

    def __init__(self, message: str) -> None:
        super().__init__(message, Stage.VALUE)


class ForeignFrame(Unconvertible):
    """What came is no message of the subprotocol; it is no row, and ended its session."""

    reason = "protocol"

    def __init__(self, message: str) -> None:
        super().__init__(message, Stage.POLL)


@dataclass(frozen=True, kw_only=True, slots=True)
class BadRecord:
    """
    A row, or a whole frame, that cannot be published, and ``error``, which says why.

    ``value`` is its bytes as they came, ``headers`` those that it had so far. ``executing_class`` is the one
    that was at work. ``key``, ``timestamp`` (in ms), ``topic`` and ``partition`` are ``None`` where they are
    not known. ``digest`` is that of the row's identity, ``None`` where it has none.
    """

    error: DataError
    stage: Stage
    executing_class: type
    value: Value
    headers: Headers
    key: bytes | None = None
    timestamp: int | None = None
    topic: str | None = None
    partition: int | None = None
    digest: int | None = None

    @property
    def reason(self) -> str:
        """
        The label of metrics: ``too_large``, ``timestamp``, ``topic``, ``topics_max``, ``invalid``, ``frame``
        or ``protocol``.
        """
        return str(getattr(self.error, "reason", "invalid"))

    def __repr__(self) -> str:
        return f"BadRecord({self.stage}, {len(self.value)} bytes)"
