"""Identities that tell rows apart by themselves: each is wanted once within the window."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from connector.records.seam.counts import SeamCounts
from connector.records.seam.digest_table import DISCARDED_BITS, KEY_BYTES, key_of
from connector.records.seam.receipt import RowSource
from connector.records.seam.window import Window


class IdentityWindow(Window):
    """
    Remembers the digests of ``seconds``, in ``max_bytes`` at most; ``counts`` is told what becomes of rows.

    Between `begin` and `end` it takes the rows of one receipt.
    """

    def __init__(self, *, seconds: float, max_bytes: int, counts: SeamCounts) -> None:
        super().__init__(KEY_BYTES + 1, seconds=seconds, max_bytes=max_bytes, counts=counts)
        self._look()

    def begin(self, now: float, source: RowSource) -> None:
        """
        Rows are asked for that came at ``now`` (seconds, never less than before); from where is no matter.
        """
        self._turn(now)

    def admits(self, digest: int, row: msgspec.Raw) -> bool:
        """See `connector.records.identity.Admits`; the row is wanted where its digest is new."""
        # Asked for each row: what can be known before is, and nothing is called that need not be.
        key = digest >> DISCARDED_BITS
        number = key & self._mask
        if number < self._split:
            number = key & self._next_mask
        bucket = self._buckets[number]
        start = key.to_bytes(KEY_BYTES, "little")
        if bucket.find(start) >= 0 and self._table.find(bucket, start) >= 0:
            self._counts.repeats += 1
            return False
        bucket += start + self._tag
        self._note(digest)
        return True

    def end(self) -> Sequence[int]:
        """Return what was remembered since `begin`; `forget` takes it back."""
        fresh = self._fresh
        if fresh:
            self._ageing.added(len(fresh))
            self._look()
        return fresh

    def _look(self) -> None:
        """Find out where entries are now, and begin another list of those that are new."""
        table = self._table
        self._buckets, self._mask, self._split = table.buckets, table.mask, table.split
        self._next_mask = table.mask * 2 + 1
        self._fresh: list[int] = []
        self._note = self._fresh.append

    def forget(self, digests: Sequence[int]) -> None:
        """Let rows with these digests be new again."""
        for digest in digests:
            key = key_of(digest)
            bucket = self._table.bucket(key)
            place = self._table.find(bucket, key.to_bytes(KEY_BYTES, "little"))
            if place >= 0:
                self._table.remove(bucket, place)

    def remembers(self, digest: int) -> bool:
        """Return whether a row with ``digest`` was wanted within the window."""
        key = key_of(digest)
        return self._table.find(self._table.bucket(key), key.to_bytes(KEY_BYTES, "little")) >= 0
