"""Variable-length integers, zigzag (Kafka protocol guide, varint and varlong)."""

from __future__ import annotations

_REMEMBERED = 20_000
"""Numbers below this are encoded once: lengths and offsets, mostly."""


class _Varints(dict[int, bytes]):
    def __missing__(self, number: int) -> bytes:
        found = encode(number)
        if -_REMEMBERED < number < _REMEMBERED:
            self[number] = found
        return found


def encode(number: int) -> bytes:
    """Return ``number``, of at most 64 bits, as it stands in a record."""
    rest = (number << 1) ^ (number >> 63)
    found = bytearray()
    while rest > 0x7F:
        found.append(rest & 0x7F | 0x80)
        rest >>= 7
    found.append(rest)
    return bytes(found)


VARINTS = _Varints()
"""`encode`, to be indexed."""
