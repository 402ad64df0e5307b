"""
What a row is known by: the fields of its identity, as one number.

The number is the same however the row is written: a string counts without its quotes and escapes, since
the same row may come as live data and as the answer to a query. A field that is null or absent is a value of
its own, beside another field that is there; where none is, the row is known by nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import msgspec
import xxhash

from connector.records.fields import BROKEN, Fields, Path, text_of

Bits = Literal[64, 128]

IdentityOf = Callable[[Any], int | None]
"""Returns the digest of a decoded item; ``None`` where all of its fields are null, absent or no text."""

Admits = Callable[[int, msgspec.Raw], bool]
"""
Is told the digest of a row, and the row, before its record is built; returns whether the row is wanted.

It is asked once for each row that has a digest, in the order of the rows.
"""

DIGESTS: Mapping[Bits, Callable[[bytes], int]] = MappingProxyType(
    {64: xxhash.xxh3_64_intdigest, 128: xxhash.xxh3_128_intdigest}
)
"""By their width, unsigned; the same on every machine and in every version (XXH3, seed 0)."""

BETWEEN = b"\0"
"""Between the texts of two fields."""

_NULL = b"\xff"
"""In the place of a field's text; no text in UTF-8 has that byte."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """
    The ``fields`` below a row that tell it from others (at least one), and how wide their digests are.

    Where digests alone decide, they are 128 ``bits`` wide. At 64, a row is taken for another one among ten
    million with a likelihood of 5 in 10¹³.
    """

    fields: tuple[Path, ...]
    bits: Bits = 128


def compile_identity(fields: Fields, identity: Identity) -> IdentityOf:
    """Return the function that computes the digest of ``identity``."""
    getters = [fields.getter(path) for path in identity.fields]
    digest = DIGESTS[identity.bits]

    def digest_of(item: Any) -> int | None:
        raws = [get(item) for get in getters]
        if not any(raws):
            return None
        try:
            return digest(BETWEEN.join([_text(raw).encode() if raw else _NULL for raw in raws]))
        except (*BROKEN, UnicodeEncodeError):
            return None

    return digest_of


def _text(raw: bytes) -> str:
    """A field's text; an integer is written as the loop over rows does."""
    return "0" if raw == b"-0" else text_of(raw)
