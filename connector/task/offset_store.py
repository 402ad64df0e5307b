"""What a task needs of the place that keeps offsets, and who is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, Protocol

from connector.publish.offsets import OffsetRecord, StoredOffsets

OffsetsState = Literal["off", "reading", "kept", "not_kept"]
"""``not_kept``: the topic is not there or cannot be used now; rows go on."""

OFFSETS_STATES: tuple[OffsetsState, ...] = ("off", "reading", "kept", "not_kept")


class OffsetStore(Protocol):
    """`connector.publish.offsets.OffsetsTopic`, which says what its methods do."""

    @property
    def name(self) -> str:
        """The topic's name."""

    async def read(
        self, partition: int | None = None, *, progress: Callable[[int, int], None] = ...
    ) -> StoredOffsets:
        """Return what is in ``partition``."""

    async def write(self, partition: int, records: Mapping[str, OffsetRecord | None]) -> None:
        """Write the records; return once they are acknowledged."""


class OffsetsObserver(Protocol):
    """What is told of offsets; nothing here may raise or block."""

    def offsets_written(self, records: int) -> None:
        """So many are acknowledged."""

    def offsets_failed(self) -> None:
        """A write was not acknowledged."""

    def covered(self, subscription: str, until: float) -> None:
        """The brokers know ``subscription`` as covered until then, in seconds since 1970."""
