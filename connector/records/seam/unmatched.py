"""Rows of one session that none of the other has been matched with: which, and when or where they came."""

from __future__ import annotations

from connector.records.seam.digest_table import KEY_BYTES, DigestTable, key_of

_NOTE_BYTES = 8
_WIDTH = KEY_BYTES + _NOTE_BYTES + 1
_TAGS = 256
_SWEEPS = 4
"""How often each bucket is looked at while as many rows are added as there are in the table."""


class UnmatchedRows:
    """
    A multiset of digests, each with a number of up to 64 bits that only whoever adds it understands.

    What is added can expire: `enter` begins another generation, whose ``number`` counts from 0, and tells
    which is the oldest that still counts. Until they are swept out those before it may still be found.
    """

    __slots__ = ("_expired", "_table", "_tag")

    def __init__(self) -> None:
        self._table = DigestTable(_WIDTH)
        self._tag = b"\0"
        self._expired = b""

    def enter(self, number: int, oldest: int) -> None:
        """From now on rows belong to generation ``number``; those before ``oldest`` are swept out."""
        live = {tag % _TAGS for tag in range(oldest, number + 1)}
        self._tag = bytes([number % _TAGS])
        self._expired = bytes(tag for tag in range(_TAGS) if tag not in live)

    def add(self, digest: int, note: int) -> None:
        """Remember a row."""
        key = key_of(digest)
        entry = key.to_bytes(KEY_BYTES, "little") + note.to_bytes(_NOTE_BYTES, "little") + self._tag
        self._table.bucket(key).extend(entry)

    def added(self, rows: int) -> None:
        """So many were added: make room for more, and take out some of what expired."""
        table = self._table
        table.added(rows)
        table.sweep(rows * _SWEEPS * len(table.buckets) // max(table.entries, 1), self._expired)

    def take_first(self, digest: int) -> int | None:
        """
        Take out the row with ``digest`` that was added first and return its number; ``None``: there is none.
        """
        key = key_of(digest)
        bucket = self._table.bucket(key)
        place = bucket.find(start := key.to_bytes(KEY_BYTES, "little"))
        if place < 0 or (place := self._table.find(bucket, start)) < 0:
            return None
        return self._take(bucket, place)

    def take_last(self, digest: int) -> int | None:
        """The same with the one that was added last."""
        key = key_of(digest)
        bucket = self._table.bucket(key)
        place = bucket.rfind(start := key.to_bytes(KEY_BYTES, "little"))
        while place % _WIDTH and place >= 0:
            place = bucket.rfind(start, 0, place + KEY_BYTES - 1)
        return self._take(bucket, place) if place >= 0 else None

    def _take(self, bucket: bytearray, place: int) -> int:
        note = int.from_bytes(bucket[place + KEY_BYTES : place + KEY_BYTES + _NOTE_BYTES], "little")
        self._table.remove(bucket, place)
        return note

    @property
    def size(self) -> int:
        """Bytes that they take."""
        return self._table.size

    def __len__(self) -> int:
        return self._table.entries
