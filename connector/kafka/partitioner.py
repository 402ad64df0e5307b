"""The Java client's choice of a partition, so that a record lands where a JVM producer would put it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from connector.kafka.internals import python_murmur2

_SEED = 0x9747B28C


POSITIVE = 0x7FFFFFFF
"""Java's ``toPositive``: a hash ``&`` this, modulo the number of partitions, is the partition."""


def _load() -> Callable[[bytes], int]:
    try:
        from murmurhash2 import murmurhash2
    except ImportError:  # no wheel for this platform: thirty times slower, same values
        return python_murmur2
    return partial(murmurhash2, seed=_SEED)


murmur2 = _load()
"""Returns Java's ``murmur2(key)``, as an unsigned or a signed number."""


def positive_hash(key: bytes) -> int:
    """Return Java's ``toPositive(murmur2(key))``; modulo the number of partitions it is the partition."""
    return murmur2(key) & POSITIVE
