"""
What brokers answer to produce requests, read without a call for each number in it.

The library takes a hundred calls for each partition. What is unusual, and what is broken, is left to it.
"""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any, NamedTuple

_short = struct.Struct(">h").unpack_from
_number = struct.Struct(">i").unpack_from

_PARTITION = {
    **dict.fromkeys((0, 1), struct.Struct(">ihq")),
    **dict.fromkeys((2, 3, 4), struct.Struct(">ihqq")),
    **dict.fromkeys((5, 6, 7), struct.Struct(">ihqqq")),
    8: struct.Struct(">ihqqqih"),
}
"""By version: number, error, first offset, time of appending, start of the log, count of errors, message."""

_NO_MESSAGE = -1


class ProduceAnswer(NamedTuple):
    """
    To the library it is one of its ``ProduceResponse``; `topics` holds (name, partitions). The broker takes
    no request for ``throttle_time_ms``.
    """

    API_VERSION: int
    topics: list[tuple[str, list[tuple[Any, ...]]]]
    throttle_time_ms: int = 0


class ProduceResponseReader:
    """Stands in for ``kind``, a ``ProduceResponse`` of the library."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self._partition = _PARTITION.get(kind.API_VERSION)

    def decode(self, data: BytesIO) -> Any:
        """
        Return what ``data`` says from where it stands (Kafka protocol guide, Produce response).

        Raises:
            ValueError: It is broken.
        """
        began = data.tell()
        try:
            found = self._read(data.getbuffer(), began)
        except (struct.error, UnicodeDecodeError):
            found = None
        return self._kind.decode(data) if found is None else found

    def _read(self, data: memoryview, at: int) -> ProduceAnswer | None:
        """Return ``None`` where it says more than usual."""
        version, partition = self._kind.API_VERSION, self._partition
        if partition is None:
            return None
        topics = []
        (count,) = _number(data, at)
        if count < 0:
            return None
        at += 4
        for _ in range(count):
            (length,) = _short(data, at)
            if length < 0:
                return None
            (partitions,) = _number(data, at + 2 + length)
            if partitions < 0:
                return None
            name = str(data[at + 2 : at + 2 + length], "utf-8")
            at += 6 + length
            found = []
            for _ in range(partitions):
                one = partition.unpack_from(data, at)
                at += partition.size
                if version == 8:
                    if one[5] or one[6] != _NO_MESSAGE:
                        return None
                    one = (*one[:5], [], None)
                found.append(one)
            topics.append((name, found))
        (throttled,) = _number(data, at) if version else (0,)
        return ProduceAnswer(version, topics, throttled)
