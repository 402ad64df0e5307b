"""
A text with its escaped letters and digits read, byte for byte in their places.

For secrets of which some characters are escaped and others are not, in whatever mixture: ``o%72y``,
``o\\u0072y``, ``o&#114;y``. Tags and the codes that colour terminals, which may stand between two characters
of a secret, are blanked.
"""

from __future__ import annotations

import re
from functools import lru_cache

FILL = b"\0"
"""Stands where the escape of a printable character does; the last byte of a letter's is that letter."""

MOST_READ = 2**21
"""Bytes that are read, from the first; what follows is taken as it is. A MB takes a quarter of a second."""

_MARKS = (b"%", b"\\", b"&", b"<", b"\x1b")

# Each alternative begins with a byte of its own, which is what makes the search fast, and is bounded.
_ESCAPES = re.compile(
    rb"""(
      %1b(?:\[|%5b)[0-9;:?]{0,20}[a-z]
    | %(?:25){0,20}[0-9a-f]{2}
    | \\\\{0,19}+(?:u001b|x1b|033|e)\[[0-9;:?]{0,20}[a-z]
    | \\\\{0,19}+(?:u\{[0-9a-f]{1,12}\} | u000000[0-9a-f]{2} | u[0-9a-f]{4} | x[0-9a-f]{2} | [0-3][0-7]{2})
    | \\\\{0,19}+[nrt]
    | &(?:amp;){0,20}\#(?:x0{0,20}(?:[0-9a-f]{1,6};|[0-9a-f]{2}) | 0{0,20}[0-9]{1,7};?)
    | &(?:amp;){0,20}[a-z]{2,8};
    | </?[a-z]{1,10}[0-9]?(?:[\s/][^<>]{0,200})?>
    | \x1b\[[0-9;:?]{0,20}[a-z]
    )""",
    re.VERBOSE,
)
_HEX = re.compile(rb"(?:%(?:25)*|\\+u\{?|\\+x|&(?:amp;)*#x)0*([0-9a-f]{2})[};]?")
_DECIMAL = re.compile(rb"&(?:amp;)*#0*([0-9]{2,3});?")
_OCTAL = re.compile(rb"\\+([0-3][0-7]{2})")


def unescaped(content: bytes) -> bytes | None:
    """Return ``content`` in lower case, as long as it was, with escapes read; ``None`` if it has none."""
    if not any(mark in content for mark in _MARKS):
        return None
    lowered = content.lower()
    parts = _ESCAPES.split(lowered[:MOST_READ])
    if len(parts) == 1:
        return None
    parts[1::2] = map(_read, parts[1::2])
    return b"".join((*parts, lowered[MOST_READ:]))


@lru_cache(4096)
def _read(escape: bytes) -> bytes:
    for pattern, base in ((_HEX, 16), (_DECIMAL, 10), (_OCTAL, 8)):
        if found := pattern.fullmatch(escape):
            code = int(found[1], base)
            letter = bytes((code,)).lower() if code < 128 else b""
            if letter.isalnum():
                return letter.rjust(len(escape), FILL)
            return (FILL if 32 < code < 127 else b" ") * len(escape)
    return b" " * len(escape)
