"""
What a row is known by: the fields of its identity, as one number.

The number is the same however the row is written: a string counts without its quotes and escapes, since
the same row may come as live data and as the answer to a query.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import xxhash

from connector.records.fields import BROKEN, Fields, Path, text_of

IdentityOf = Callable[[Any], int | None]
"""Returns the digest of a decoded item; ``None`` where all of its fields are null, absent or no text."""

digest: Callable[[bytes], int] = xxhash.xxh3_64_intdigest
"""64 bits, unsigned; the same on every machine and in every version (XXH3, seed 0)."""

BETWEEN = b"\0"
"""Between the texts of two fields."""


def compile_identity(fields: Fields, paths: Sequence[Path]) -> IdentityOf:
    """Return the function that computes the digest of the fields at ``paths``, in that order."""
    getters = [fields.getter(path) for path in paths]

    def identity(item: Any) -> int | None:
        raws = [get(item) for get in getters]
        if not any(raws):
            return None
        try:
            return digest(BETWEEN.join([text_of(raw).encode() for raw in raws]))
        except (*BROKEN, UnicodeEncodeError):
            return None

    return identity
