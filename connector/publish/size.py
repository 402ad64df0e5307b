"""How many bytes a record takes in a batch."""

from __future__ import annotations

from connector.records.record import Headers

BATCH_OVERHEAD = 61
"""Bytes of a batch's header (Kafka protocol guide, record batch)."""

_RECORD_OVERHEAD = 30
"""At most: lengths, deltas and attributes of a record, as variable-length integers."""

_HEADER_OVERHEAD = 7
"""At most: the two lengths of a header's parts, as variable-length integers."""


def weight(key: bytes | None, headers: Headers) -> int:
    """Return the bytes that a record without a value takes in a batch of its own, at most."""
    size = BATCH_OVERHEAD + _RECORD_OVERHEAD + len(key or b"")
    return size + sum(len(name.encode()) + len(content) + _HEADER_OVERHEAD for name, content in headers)
