"""
Identities that are probably right: rows of one source are all wanted, and those of several matched by count.

A row is wanted when its source brought more copies of it than any other had. What makes it the same row is
its identity together with what it says, so that a row that was computed anew is published, and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from connector.records.seam.content import content_digest
from connector.records.seam.counts import SeamCounts
from connector.records.seam.digest_table import KEY_BYTES, key_of
from connector.records.seam.receipt import RowSource
from connector.records.seam.window import Window

_CONTENT = slice(KEY_BYTES, 2 * KEY_BYTES)
_STREAM = slice(2 * KEY_BYTES, 2 * KEY_BYTES + 2)
_SOURCE = slice(2 * KEY_BYTES + 2, 2 * KEY_BYTES + 3)
_WITHOUT_TAG = _SOURCE.stop

MOST_COPIES = 32
"""
Rows of one identity that are remembered; an identity that all rows share must not make each of them slow.
"""

Appended = tuple[int, bytes]
"""The key of an entry, and the entry without its tag."""


class CountedWindow(Window):
    """
    Remembers identities, contents and sources of ``seconds``, in ``max_bytes`` at most; ``counts`` is told
    what becomes of rows.

    Between `begin` and `end` it takes the rows of one receipt.
    """

    def __init__(self, *, seconds: float, max_bytes: int, counts: SeamCounts) -> None:
        super().__init__(_WITHOUT_TAG + 1, seconds=seconds, max_bytes=max_bytes, counts=counts)
        self._fresh: list[Appended] = []
        self._stream = b"\0\0"
        self._source = b"\0"

    def begin(self, now: float, source: RowSource) -> None:
        """Rows are asked for that came from ``source`` at ``now`` (seconds, never less than before)."""
        self._turn(now)
        self._stream = (source.stream % 2**16).to_bytes(2, "little")
        self._source = bytes([source.number % 2**8])

    def admits(self, digest: int, row: msgspec.Raw) -> bool:
        """See `connector.records.identity.Admits`."""
        key = key_of(digest)
        bucket = self._table.bucket(key)
        start = key.to_bytes(KEY_BYTES, "little")
        content = key_of(content_digest(row)).to_bytes(KEY_BYTES, "little")
        is_wanted = bucket.find(start) < 0 or self._is_wanted(bucket, start, content)
        entry = start + content + self._stream + self._source
        bucket += entry + self._tag
        self._fresh.append((key, entry))
        return is_wanted

    def _is_wanted(self, bucket: bytearray, start: bytes, content: bytes) -> bool:
        brought: Counter[bytes] = Counter()
        others: set[bytes] = set()
        first = place = self._table.find(bucket, start)
        found = 0
        while place >= 0:
            found += 1
            entry = bucket[place : place + _WITHOUT_TAG]
            if entry[_CONTENT] == content:
                brought[bytes(entry[_STREAM])] += 1
            else:
                others.add(bytes(entry[_SOURCE]))
            place = self._table.find(bucket, start, place + 1)
        if found >= MOST_COPIES:
            self._table.remove(bucket, first)
            self._counts.forgotten += 1
        if brought[self._stream] < max(brought.values(), default=0):
            self._counts.repeats += 1
            return False
        if self._source in others:
            self._counts.conflicts += 1
        elif others:
            self._counts.differences += 1
        return True

    def end(self) -> Sequence[Appended]:
        """Return what was remembered since `begin`; `forget` takes it back."""
        fresh = self._fresh
        if fresh:
            self._fresh = []
            self._ageing.added(len(fresh))
        return fresh

    def forget(self, appended: Sequence[Appended]) -> None:
        """Let these rows count as not brought."""
        for key, entry in appended:
            bucket = self._table.bucket(key)
            place = self._table.find(bucket, entry)
            if place >= 0:
                self._table.remove(bucket, place)
