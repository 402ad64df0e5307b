"""
Records for one partition, put together before they are sent (Kafka protocol guide, record batch, magic 2).

The library's own builder takes a call for each record, encodes the headers of each anew, and computes the
checksum in software; together that is a sixth of a row's way. What this one builds is the same, byte by
byte.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, Protocol

from connector.kafka.checksum import crc32c
from connector.kafka.internals import CODECS
from connector.kafka.settings import Compression
from connector.kafka.varint import VARINTS

Headers = list[tuple[str, bytes]]

Record = tuple[bytes | None, Any, int, Headers, Any]
"""Key, value, timestamp in ms, headers; the fifth part is the caller's own."""

_HEAD = struct.Struct(">qiibI")
"""Offset, length, leader's epoch, magic, checksum of all that follows."""

_BODY = struct.Struct(">hiqqqhii")
"""Attributes, last offset, first and greatest timestamp, producer's id, epoch, first sequence, records."""

OVERHEAD = _HEAD.size + _BODY.size

_TRANSACTIONAL = 0x10


class Batch(Protocol):
    """Records for one partition, being filled."""

    def extend(self, records: Iterable[Record]) -> int:
        """Append ``records`` until one does not fit; the first one always fits. Return how many did."""

    def size(self) -> int:
        """Return the bytes so far, before compression."""


class RecordBatch:
    """At most ``max_bytes``, before compression. To the library it is one of its ``BatchBuilder``."""

    __slots__ = (
        "_built",
        "_compression",
        "_count",
        "_first_ms",
        "_is_closed",
        "_is_transactional",
        "_last_ms",
        "_max_bytes",
        "_parts",
        "_producer",
        "_size",
    )

    def __init__(
        self, max_bytes: int, compression: Compression | None = None, *, is_transactional: bool = False
    ) -> None:
        self._max_bytes = max_bytes
        self._compression = compression
        self._is_transactional = is_transactional
        self._parts: list[Any] = []
        self._size = OVERHEAD
        self._count = 0
        self._first_ms = self._last_ms = 0
        self._is_closed = False
        self._producer = (-1, -1, 0)
        self._built: bytes | None = None

    def extend(self, records: Iterable[Record]) -> int:
        """See `Batch`."""
        if self._is_closed:
            return 0
        add, varint = self._parts.append, VARINTS
        before = number = self._count
        size, most, first, last = self._size, self._max_bytes, self._first_ms, self._last_ms
        known: Headers | None = None
        tail = delta = b""
        seen = -1
        for key, value, moment, headers, _ in records:
            if headers is not known:
                known, tail = headers, _encoded(headers)
            if moment != seen:
                if not number:
                    first = last = moment
                seen, delta = moment, b"\0" + varint[moment - first]
            width = len(value)
            if key is None:
                head = delta + varint[number] + b"\1" + varint[width]
            else:
                head = delta + varint[number] + varint[len(key)] + key + varint[width]
            length = len(head) + width + len(tail)
            head = varint[length] + head
            taken = size + len(head) + width + len(tail)
            if taken > most and number:
                self._is_closed = True
                break
            size = taken
            if moment > last:
                last = moment
            add(head)
            add(value)
            add(tail)
            number += 1
        self._count, self._size, self._first_ms, self._last_ms = number, size, first, last
        return number - before

    def delete(self, key: bytes, moment: int) -> bool:
        """
        Append a tombstone, a record of ``key`` without a value, stamped with ``moment`` (unix ms); return
        whether it fitted. The first one always fits.
        """
        if not self._count:
            self._first_ms = self._last_ms = moment
        varint = VARINTS
        place = b"\0" + varint[moment - self._first_ms] + varint[self._count]
        # A length of -1 (varints are zigzag: 1), and no headers.
        record = place + varint[len(key)] + key + b"\1" + b"\0"
        taken = self._size + len(varint[len(record)]) + len(record)
        if self._is_closed or (taken > self._max_bytes and self._count):
            self._is_closed = True
            return False
        self._parts += (varint[len(record)], record)
        self._count, self._size = self._count + 1, taken
        self._last_ms = max(self._last_ms, moment)
        return True

    def size(self) -> int:
        """See `Batch`."""
        return self._size

    # What the library asks of a batch

    def record_count(self) -> int:
        """Return the number of records."""
        return self._count

    def close(self) -> None:
        """Take nothing more."""
        self._is_closed = True

    def closed(self) -> bool:
        """Return whether nothing more is taken."""
        return self._is_closed

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        self._producer = (producer_id, producer_epoch, base_sequence)

    def _build(self) -> bytes:
        if self._built is None:
            self._is_closed = True
            self._built = self._encode()
            self._parts.clear()
        return self._built

    def _encode(self) -> bytes:
        attributes = _TRANSACTIONAL if self._is_transactional else 0
        records: tuple[bytes, ...] = tuple(self._parts)
        if self._compression is not None:
            number, encode = CODECS[self._compression]
            plain = b"".join(records)
            compressed = encode(plain)
            records = (plain,)
            if len(compressed) < len(plain):
                records, attributes = (compressed,), attributes | number
        head = (attributes, self._count - 1, self._first_ms, self._last_ms, *self._producer, self._count)
        body = b"".join((_BODY.pack(*head), *records))
        return _HEAD.pack(0, len(body) + _HEAD.size - 12, -1, 2, crc32c(body)) + body


_latest: tuple[Headers, bytes] = ([], b"\0")
"""The headers that were encoded last: rows of one frame share them, and go into several batches."""


def _encoded(headers: Headers) -> bytes:
    global _latest
    known, encoded = _latest
    if headers is known:
        return encoded
    parts = [VARINTS[len(headers)]]
    for name, content in headers:
        text = name.encode()
        parts += (VARINTS[len(text)], text, VARINTS[len(content)], content)
    encoded = b"".join(parts)
    _latest = (headers, encoded)
    return encoded
