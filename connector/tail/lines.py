"""A row as one line."""

from __future__ import annotations

import re

import msgspec

_CONTROLS = re.compile(
    rb"[\x00-\x1f\x7f]|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8b\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]|\xef\xbb\xbf"
)
"""In UTF-8: C0, DEL and C1, the marks that turn a line around, and those that break it or are not seen."""


def line_of(row: bytes | msgspec.Raw) -> bytes:
    """
    Return the row's own bytes and a line feed.

    Only where the row is spread over several lines is the space between its parts taken out: JSON allows
    line breaks nowhere else. Characters that a terminal would obey are written as JSON's escapes, which mean
    the same.
    """
    text = bytes(row).strip()
    if b"\n" in text or b"\r" in text:
        text = msgspec.json.format(text, indent=-1)
    return _CONTROLS.sub(_escaped, text) + b"\n"


def _escaped(found: re.Match[bytes]) -> bytes:
    if found[0] == b"\t":
        return b" "  # as such it stands between the parts only
    return f"\\u{ord(found[0].decode()):04x}".encode()
