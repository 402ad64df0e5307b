"""
A hash table of digests that is small, and forgets what is old a little at a time.

Each bucket is one array of bytes: entries of one width, in the order in which they came, the last byte of
each the generation in which it did. It is searched by C code, and an entry takes little more than its own
bytes. The table grows by one bucket at a time (linear hashing, Litwin 1980), so that nothing takes long at
once.
"""

from __future__ import annotations

from itertools import compress

KEY_BYTES = 10
"""
Bytes that are kept of a digest. With ten million remembered, a row is taken for another one with a likelihood
of 8 in 10¹⁸.
"""

MOST_ENTRIES = 32
"""Entries for each bucket, on average, before there are more buckets."""

FEWEST_BUCKETS = 16

BUCKET_BYTES = 88
"""What a bucket takes beside its entries: an object, a pointer to it, what allocators round up."""

_INSIDE = 16
"""One part in so many of a bucket is room to grow into, on average."""

DISCARDED_BITS = 128 - 8 * KEY_BYTES
"""Of a digest; the rest of it is its key."""

_BITS = [bytes(byte >> bit & 1 for byte in range(256)) for bit in range(8)]
_OTHER = bytes([1]) + bytes(255)


def key_of(digest: int) -> int:
    """Return what is kept of a digest of 128 bits."""
    return digest >> DISCARDED_BITS


class DigestTable:
    """
    Entries of ``width`` bytes: `KEY_BYTES` of a key (little-endian), what else belongs to it, one byte that
    tags its generation.

    `buckets`, `mask` and `split` are read by whoever looks up many keys: a key is in the bucket of its number
    ``key & mask``, or ``key & (2 * mask + 1)`` where that is below ``split``. Entries are appended there, and
    counted by `added`.
    """

    __slots__ = ("_hand", "_victim", "buckets", "entries", "mask", "split", "width")

    def __init__(self, width: int) -> None:
        self.width = width
        self.buckets = [bytearray() for _ in range(FEWEST_BUCKETS)]
        self.mask = FEWEST_BUCKETS - 1
        self.split = 0
        self.entries = 0
        self._hand = 0
        self._victim = 0

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        of_entries = self.entries * self.width
        return of_entries + of_entries // _INSIDE + len(self.buckets) * BUCKET_BYTES

    def room(self, size: int) -> int:
        """Return how many entries more surely fit into ``size`` bytes; 0: none."""
        of_entry = self.width + self.width // _INSIDE + 1 + -(-BUCKET_BYTES // MOST_ENTRIES)
        return max(0, (size - self.size) // of_entry - 1)

    def bucket(self, key: int) -> bytearray:
        """Return the bucket of ``key``."""
        number = key & self.mask
        if number < self.split:
            number = key & (self.mask * 2 + 1)
        return self.buckets[number]

    def find(self, bucket: bytearray, start: bytes, after: int = 0) -> int:
        """
        Return the place of the first entry that begins with ``start``, from ``after`` on; -1: there is none.
        """
        place = bucket.find(start, after)
        while place % self.width and place >= 0:
            place = bucket.find(start, place + 1)
        return place

    def added(self, entries: int) -> None:
        """Count entries that were appended, and make room for more."""
        self.entries += entries
        while self.entries > len(self.buckets) * MOST_ENTRIES:
            self._split_next()

    def remove(self, bucket: bytearray, place: int) -> None:
        """Take out the entry at ``place``."""
        del bucket[place : place + self.width]
        self.entries -= 1

    def sweep(self, buckets: int, expired: bytes) -> None:
        """Take from the next ``buckets`` what has one of the tags ``expired`` and is the oldest there."""
        width = self.width
        for _ in range(buckets):
            bucket = self._next_bucket()
            tags = bucket[width - 1 :: width]
            old = len(tags) - len(tags.lstrip(expired))
            if old:
                del bucket[: old * width]
                self.entries -= old

    def squeeze(self) -> int | None:
        """
        Drop the oldest quarter of one bucket, of each in turn.

        Return the tag of the newest entry that was dropped; ``None``: the bucket was empty.
        """
        self._victim = (self._victim + 1) % len(self.buckets)
        bucket = self.buckets[self._victim]
        dropped = -(-len(bucket) // self.width // 4)
        if not dropped:
            return None
        tag = bucket[dropped * self.width - 1]
        del bucket[: dropped * self.width]
        self.entries -= dropped
        return tag

    def _next_bucket(self) -> bytearray:
        self._hand = (self._hand + 1) % len(self.buckets)
        return self.buckets[self._hand]

    def _split_next(self) -> None:
        """Move from one bucket to a new one what has the next bit of the key set."""
        width, number = self.width, self.split
        bucket = self.buckets[number]
        place = (self.mask + 1).bit_length() - 1
        bits = bytes(bucket[place // 8 :: width]).translate(_BITS[place % 8])
        entries = [bucket[start : start + width] for start in range(0, len(bucket), width)]
        self.buckets[number] = bytearray().join(compress(entries, bits.translate(_OTHER)))
        self.buckets.append(bytearray().join(compress(entries, bits)))
        self.split += 1
        if self.split > self.mask:
            self.mask = self.mask * 2 + 1
            self.split = 0
