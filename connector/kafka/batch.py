"""Records for one partition, put together before they are sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from aiokafka.producer.message_accumulator import BatchBuilder

Record = tuple[bytes | None, Any, int, list[tuple[str, bytes]], Any]
"""Key, value, timestamp in ms, headers; the fifth part is the caller's own."""


class Batch(Protocol):
    """Records for one partition, being filled."""

    def extend(self, records: Iterable[Record]) -> int:
        """Append ``records`` until one does not fit; the first one always fits. Return how many did."""

    def size(self) -> int:
        """Return the bytes so far, before compression."""


class FilledAtOnce(BatchBuilder):  # type: ignore[misc]
    """The library's batch; a call for each record would cost as much as the record."""

    def extend(self, records: Iterable[Record]) -> int:
        """See `Batch`."""
        if self._closed:
            return 0
        append = self._builder.append
        first: int = self._relative_offset  # type: ignore[has-type]
        number = first
        for key, value, moment, headers, _ in records:
            if append(number, moment, key, value, headers) is None:
                self.close()
                break
            number += 1
        self._relative_offset = number
        return number - first
