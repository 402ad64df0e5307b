"""CRC-32C, by the processor's own instruction where there is a library that uses it."""

from __future__ import annotations

from collections.abc import Callable

from connector.kafka.internals import python_crc32c


def _load() -> Callable[[bytes], int]:
    try:
        from google_crc32c import implementation, value
    except ImportError:  # no wheel for this platform: ten times slower, same values
        implementation = "python"
    if implementation == "c":
        found: Callable[[bytes], int] = value
        return found
    return python_crc32c


crc32c = _load()
"""Returns the checksum of some bytes."""
