"""Compression, and what serves where a faster library has no wheel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from aiokafka import codec
from aiokafka.partitioner import murmur2
from aiokafka.record.util import calc_crc32c

CODECS: Mapping[str, tuple[int, Callable[[bytes], bytes]]] = {
    "gzip": (1, partial(codec.gzip_encode, compresslevel=6)),
    "snappy": (2, codec.snappy_encode),
    "lz4": (3, partial(codec.lz4_encode, level=1)),
    "zstd": (4, codec.zstd_encode),
}
"""
By name: the number in a batch's attributes, and how to encode. The library's levels for gzip and lz4, 9, take
ten times as long for lz4, which is chosen for its speed, and make a tenth less of it.
"""

python_crc32c: Callable[[bytes], int] = calc_crc32c
"""Returns the CRC-32C of some bytes, ten times slower than the processor's instruction."""

python_murmur2: Callable[[bytes], int] = murmur2
"""Returns Java's ``murmur2(key)``, thirty times slower than C."""
