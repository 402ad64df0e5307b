"""Records of ``<name>.offsets`` → what is known of each subscription."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from connector.kafka import StoredRecord
from connector.publish.offsets.record import (
    NewerFormat,
    OffsetRecord,
    Unreadable,
    decode_key,
    decode_value,
)

log = structlog.get_logger(__name__)

MOST_SUBSCRIPTIONS = 20_000
"""Names that are kept; a connector has fewer, and records of others are no reason to run out of memory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredOffset:
    """``record`` as it lies in ``partition``, written at ``written_ms`` (unix)."""

    partition: int
    record: OffsetRecord
    written_ms: int


class StoredOffsets:
    """
    Those of ``connector``, the last of each subscription. What is none of its records is counted and passed
    over.
    """

    def __init__(self, connector: str) -> None:
        self._connector = connector
        self.offsets: dict[str, StoredOffset] = {}
        self._newer: dict[bytes, int] = {}
        self.foreign = 0
        self.unreadable = 0
        self.last_written_ms = 0
        """When the last record of the connector's own was written (unix ms); 0 where there is none."""

    def take(self, stored: StoredRecord) -> None:
        """Take the next record of its partition."""
        try:
            connector, name = decode_key(stored.key)
        except Unreadable:
            self.unreadable += 1
            return
        if connector != self._connector:
            self.foreign += 1
            return
        self.last_written_ms = max(self.last_written_ms, stored.timestamp_ms)
        key = stored.key or b""
        self._newer.pop(key, None)
        if stored.value is None:
            self.offsets.pop(name or "", None)
            return
        try:
            record = decode_value(stored.value)
        except NewerFormat as newer:
            if len(self._newer) < MOST_SUBSCRIPTIONS:
                self._newer[key] = newer.version
        except Unreadable:
            self.unreadable += 1
        else:
            self._keep(
                name, StoredOffset(partition=stored.partition, record=record, written_ms=stored.timestamp_ms)
            )

    def _keep(self, name: str | None, offset: StoredOffset) -> None:
        if name is None or (len(self.offsets) >= MOST_SUBSCRIPTIONS and name not in self.offsets):
            self.unreadable += 1
        else:
            self.offsets[name] = offset

    @property
    def newer(self) -> int | None:
        """The version of a record that a newer program wrote last under its key; ``None``: none did."""
        return max(self._newer.values(), default=None)

    def warn(self, topic: str) -> None:
        """Say once, and only where there is any, how much of ``topic`` is passed over."""
        if self.foreign or self.unreadable:
            log.warning(
                "records of the offsets topic are ignored",
                topic=topic,
                of_other_connectors=self.foreign,
                unreadable=self.unreadable,
                remedy="let nobody else write to it",
            )
