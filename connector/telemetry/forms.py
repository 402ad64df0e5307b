"""
The forms in which parts of a secret are looked for: letters and digits only, in lower case.

``levelled`` makes one of the many ways of writing an escape: ``%61``, ``\\x61``, ``\\u0061``, ``&#x61;`` and
``0x61`` all come down to ``61``, which is how hexadecimal writes it too.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

RUN = 12
"""So many characters of a secret in a row are hidden."""

SHORTEST = 8
"""Shorter secrets have no forms: their digits are found in numbers."""

LONGEST = 8192
"""Of a longer secret the first part is known by its parts: memory is bounded."""

LONGEST_REVERSED = 2048
"""The same for what was reversed and then encoded."""

_FEWEST = 8
"""Letters and digits that a run has at least: two words of a sentence have fewer in common with a secret."""

_NO_LETTERS = bytes(code for code in range(256) if not (code < 128 and chr(code).isalnum()))
_URL = re.compile(r"(?:https?|wss?)://[^@?#]*", re.IGNORECASE)
_SEPARATOR_ESCAPES = re.compile(rb"\\u(?!00[2-7])[0-9a-f]{4}")
_SEPARATOR_PERCENTS = re.compile(rb"%(?:[0189a-f][0-9a-f]|20)")


@dataclass(frozen=True, slots=True)
class Form:
    """One way of writing a secret; ``least`` of its characters in a row are a run."""

    text: bytes
    least: int


def levelled(content: bytes) -> bytes:
    """Return ``content`` in lower case with the marks of escapes blanked; every byte keeps its place."""
    level = content.lower()
    if b"\\" in level:
        level = _SEPARATOR_ESCAPES.sub(b"      ", level)
        level = level.replace(b"\\u00", b"    ").replace(b"\\x", b"  ")
        for mark in (b"\\n", b"\\r", b"\\t"):
            level = level.replace(mark, b"  ")
    if b"%" in level:
        for _ in range(4):
            level = level.replace(b"%25", b"  %")
        level = _SEPARATOR_PERCENTS.sub(b"   ", level)
    if b"&" in level:
        level = level.replace(b"amp;", b"    ").replace(b"#x", b"  ")
    return level.replace(b"0x", b"  ")


def squeezed(level: bytes) -> bytes:
    """Return the ASCII letters and digits alone."""
    return level.translate(None, _NO_LETTERS)


def forms_of(secret: str) -> Iterator[Form]:
    """
    Yield the forms of ``secret``.

    None for a URL without credentials, which the header ``Origin`` may hold: its host stands in every line.
    """
    secret = secret[:LONGEST]
    if len(secret) < SHORTEST or _URL.fullmatch(secret):
        return
    raw = secret.encode("utf-8", "surrogatepass")
    run = min(RUN, len(secret))
    if len(secret) >= RUN:
        for written in dict.fromkeys((secret, quote(secret, safe=""), html.escape(secret))):
            yield from _form(written, run)
    yield from _form(secret[::-1], run)
    yield from _encoded(raw, run)
    yield from _encoded(secret[:LONGEST_REVERSED][::-1].encode("utf-8", "surrogatepass"), run)


def _encoded(raw: bytes, run: int) -> Iterator[Form]:
    """Yield ``raw`` in hexadecimal, in decimal numbers and in base64."""
    yield Form(raw.hex().encode(), 2 * run)
    yield Form("".join(map(str, raw)).encode(), 2 * run)
    for offset, first in enumerate((0, 2, 3)):
        whole = (offset + len(raw)) * 8 // 6
        core = base64.b64encode(b"\0" * offset + raw).decode()[first:whole]
        yield from _form(core, run + 2 if run == RUN else len(core) - 1)


def _form(written: str, run: int) -> Iterator[Form]:
    text = squeezed(levelled(written.encode("utf-8", "surrogatepass")))
    # A run has as few letters as the poorest part of its length.
    flags = [character.isascii() and character.isalnum() for character in written]
    least = min(sum(flags[at : at + run]) for at in range(max(1, len(flags) - run + 1)))
    if len(text) >= _FEWEST:
        yield Form(text, max(_FEWEST, least))
