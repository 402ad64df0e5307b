"""What the bytes of a row become as the value of a record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from connector.records.record import Value

Convert = Callable[[str, Value], Value]
"""A converter's method: topic and row → value."""


class Converter(Protocol):
    """Kafka Connect's word: turns rows into the values of records."""

    def convert(self, topic: str, row: Value) -> Value:
        """
        Return the value, for ``topic``, of ``row``: JSON as it was received.

        Never waits, since it is called for every row.

        Raises:
            Unconvertible: At the stage ``Stage.VALUE``; the row becomes a bad record, its siblings go on.
        """
        ...


class RawJson:
    """The row itself, byte for byte. Builders know it and call nothing."""

    def convert(self, topic: str, row: Value) -> Value:
        """See `Converter`."""
        return row


def call_of(converter: Converter) -> Convert | None:
    """Return what is to be called for each row; ``None``: nothing, the row is the value."""
    return None if isinstance(converter, RawJson) else converter.convert
