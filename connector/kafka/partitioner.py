"""The Java client's choice of a partition, so that a record lands where a JVM producer would put it."""

from __future__ import annotations

from collections.abc import Callable

_SEED = 0x9747B28C


def _load() -> Callable[[bytes], int]:
    try:
        from murmurhash2 import murmurhash2
    except ImportError:  # no wheel for this platform: thirty times slower, same values
        from aiokafka.partitioner import murmur2

        return lambda key: int(murmur2(key)) & 0x7FFFFFFF
    return lambda key: int(murmurhash2(key, _SEED)) & 0x7FFFFFFF


positive_hash = _load()
"""Returns Java's ``toPositive(murmur2(key))``; modulo the number of partitions it is the partition."""
