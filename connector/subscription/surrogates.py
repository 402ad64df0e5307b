"""Texts with halves of surrogate pairs, and how they are made readable."""

from __future__ import annotations

import re

_HEX = rb"[0-9a-fA-F]"
_HIGH = rb"[89abAB]" + _HEX * 2
_LOW = rb"[c-fC-F]" + _HEX * 2

# A high one that no low one follows, or a low one that no high one precedes. What all begin with comes first,
# for that is looked for in the machine's own speed.
_LONE = re.compile(
    rb"\\u[dD](?:" + _HIGH + rb"(?!\\u[dD]" + _LOW + rb")|(?<!\\u[dD]" + _HIGH + rb"\\u[dD])" + _LOW + rb")"
)
_AROUND = 16
"""Bytes that decide about a place: those of an escape, and one on either side of it."""

_BACKSLASH, _NONE = rb"\\"[:1] * 2, b"\x01\x01"
"""An escaped backslash, and what stands for it meanwhile: no JSON has that."""

STEP = 256 * 1024
"""Bytes that are looked at between two turns of others."""


class Repair:
    """
    U+FFFD for every escaped half of a surrogate pair in ``frame``, step by step.

    RFC 8259 §8.2 allows them, and texts that were cut in the middle of a character have them; msgspec takes
    no message that holds one. ``repaired`` is as long as ``frame``, and the same where there is none.
    """

    def __init__(self, frame: bytes) -> None:
        self.frame = frame
        self.repaired = frame
        self._place = 0
        self._whole: bytes | None = None
        self._parts: bytearray | None = None

    def step(self) -> bool:
        """Do a part of it; return whether there is more to do."""
        if self._whole is None:
            if _NONE[:1] in self.frame or b"\\u" not in self.frame:
                return False
            self._whole = self.frame.replace(_BACKSLASH, _NONE)
            return True
        begin, end = self._place, self._place + STEP
        lead = max(begin - _AROUND, 0)
        around = self._whole[lead : end + _AROUND]
        mended = _LONE.sub(rb"\\ufffd", around)
        if mended != around:
            self._parts = self._parts or bytearray(self._whole)
            end = min(end, len(self._whole))
            self._parts[begin:end] = mended[begin - lead : end - lead]
        self._place = end
        if end < len(self._whole):
            return True
        if self._parts is not None:
            self.repaired = bytes(self._parts).replace(_NONE, _BACKSLASH)
        self._whole = self._parts = None
        return False


def without_lone_surrogates(frame: bytes) -> bytes:
    """Return ``frame`` with U+FFFD for every escaped half of a surrogate pair."""
    repair = Repair(frame)
    while repair.step():
        pass
    return repair.repaired
