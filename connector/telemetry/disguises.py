"""
How a secret looks once somebody encoded it, as regular expressions.

The text is not decoded: for each character of the secret but letters and digits, which encoders leave alone,
there is one alternative per way of writing it, so that a secret that is encoded in parts, or twice, is found
as well. Where letters are escaped, too, `connector.telemetry.fragments` finds it. Percent-encoding follows
RFC 3986 §2.1 in either case of hex, JSON's escapes RFC 8259 §7, base64 and its URL alphabet RFC 4648 §4, §5.
"""

from __future__ import annotations

import base64
import html
import re
from itertools import groupby

_BACKSLASHES = r"\\{0,20}"
"""Escapes double with every layer (JSON in JSON, the repr of that); bounded, so that no text is slow."""
_ESCAPE = r"\\{1,20}"
_RUNS = re.compile(r"[A-Za-z0-9]+")
_SHORTEST_CORE = (4, 6, 6)
"""Shorter inner parts of base64 are found in ordinary words; by the secret's offset in a group of three."""
_CONTROLS = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}


def anchor(text: str) -> str:
    """
    Return the longest run of ASCII letters and digits, empty if there is none.

    No encoding of characters touches it: where it is missing, so is ``text`` in every disguise of `spelled`.
    """
    return max(_RUNS.findall(text), key=len, default="")


def spelled(text: str) -> str:
    """Return a pattern of ``text`` in every encoding that works character by character."""
    parts = []
    for character, group in groupby(text):
        count = len(list(group))
        if character.isascii() and character.isalnum():
            parts.append(character * count)
        elif character == "\\":
            # As one run: each may have been doubled, and the neighbours would compete for them.
            parts.append(rf"(?:\\{{{count},40}}|{_ways(character)}{{{count}}})")
        else:
            parts.append(f"(?:{_ways(character)})" + (f"{{{count}}}" if count > 1 else ""))
    return "".join(parts)


def alone(pattern: str) -> str:
    """Return ``pattern`` where it is no part of a word, of a file's name or of a path."""
    before = r"(?:(?<![\w/-])(?<!\w\.)|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2}))"
    return rf"{before}(?:{pattern})(?![\w/-]|\.\w)"


def base64_cores(text: str) -> list[str]:
    """
    Return what stays of ``text`` in base64 wherever it stands in the encoded bytes.

    One core for each offset in a group of three, without the characters that the neighbours have a share in;
    so ``id:secret`` of HTTP Basic, or a whole encoded object, shows the secret's core too.
    """
    raw = text.encode("utf-8", "surrogatepass")
    cores = []
    for offset, first in enumerate((0, 2, 3)):
        whole = (offset + len(raw)) * 8 // 6
        core = base64.b64encode(b"\0" * offset + raw).decode()[first:whole]
        if len(core) >= _SHORTEST_CORE[offset]:
            cores.append(core)
    return cores


def base64_spelled(core: str) -> str:
    """Return a pattern of ``core`` in either alphabet, with the shared last character and any padding."""
    parts = []
    for character in core:
        twin = {"+": "+-", "/": "/_"}.get(character, character)
        parts.append(twin if twin.isalnum() else "(?:" + "|".join(map(_ways, twin)) + ")")
    return "".join(parts) + rf"[A-Za-z0-9+/_-]?(?:{_ways('=')}){{0,2}}"


def _ways(character: str) -> str:
    """Return every spelling of one character that is no ASCII letter or digit."""
    raw = character.encode("utf-8", "surrogatepass")
    code = ord(character)
    ways = [
        # Escaped by whoever escapes quotes, slashes or everything: \" \/ \'
        _BACKSLASHES + re.escape(character),
        "".join(rf"%(?:25){{0,3}}{_hex(f'{byte:02x}')}" for byte in raw),
        "".join(_ESCAPE + "u" + _hex(unit) for unit in _utf16(character)),
        "".join(_ESCAPE + "x" + _hex(f"{byte:02x}") for byte in raw),
        rf"&(?:amp;){{0,3}}(?:#0{{0,5}}{code}|#[xX]0{{0,5}}{_hex(f'{code:x}')}{_named(character)});",
    ]
    if character == " ":
        ways.append(r"\+")
    if character in _CONTROLS:
        ways.append(_ESCAPE + _CONTROLS[character])
    if 127 < code < 256:
        ways.append(_ESCAPE + "x" + _hex(f"{code:02x}"))
    if code > 0xFFFF:
        ways.append(_ESCAPE + "U" + _hex(f"{code:08x}"))
    return "(?:" + "|".join(ways) + ")"


def _utf16(character: str) -> list[str]:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return [units[at : at + 4] for at in range(0, len(units), 4)]


def _hex(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)


def _named(character: str) -> str:
    escaped = html.escape(character)
    return f"|{escaped[1:-1]}" if len(escaped) > 1 else ""
