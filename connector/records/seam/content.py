"""
What a row says, however it is written.

Spaces between tokens and escapes in strings do not count, since the same row may come as live data and as the
answer to a query. The order of fields counts, and so does how a number is written: no number goes through a
float.
"""

from __future__ import annotations

import re

import msgspec
import xxhash

from connector.records.fields import BROKEN

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


def content_digest(row: msgspec.Raw) -> int:
    """Return the digest, 128 bits wide, of what ``row`` says."""
    return xxhash.xxh3_128_intdigest(canonical(row))


def canonical(row: msgspec.Raw) -> bytes:
    """
    Return ``row`` as it would be written without spaces and needless escapes; as it is where it is no JSON.
    """
    try:
        compact = msgspec.json.format(row, indent=-1)
        return _STRING.sub(_plain, compact) if b"\\" in compact else compact
    except (*BROKEN, UnicodeEncodeError):
        return bytes(row)


def _plain(string: re.Match[bytes]) -> bytes:
    text = string[0]
    return msgspec.json.encode(msgspec.json.decode(text)) if b"\\" in text else text
