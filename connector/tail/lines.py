"""A row as one line."""

from __future__ import annotations

import msgspec


def line_of(row: bytes | msgspec.Raw) -> bytes:
    """
    Return the row's own bytes and a line feed.

    Only where the row is spread over several lines is the space between its parts taken out: JSON allows line
    breaks nowhere else.
    """
    text = bytes(row).strip()
    if b"\n" in text or b"\r" in text:
        text = msgspec.json.format(text, indent=-1)
    return text + b"\n"
