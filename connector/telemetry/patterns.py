"""What looks like a credential by where it stands, for secrets that nobody has told of."""

from __future__ import annotations

import re

HIDDEN = "***"

_NAMES = r"(?:access_token|refresh_token|id_token|token|client_secret|secret|password|authorization|api_?key)"
_AMPERSAND = r"(?:&(?:amp;)*|\\{1,20}u0026)"

_PATTERNS = (
    # In URLs and forms; the value ends where a URL would, or the string that holds it.
    re.compile(
        rf"""((?:[?\#]|{_AMPERSAND})
        (?:access_token|refresh_token|id_token|token|client_secret|secret|password|api_?key|key)=)
        [^\s&"'\\]+""",
        re.IGNORECASE | re.VERBOSE,
    ),
    re.compile(r"""(\b(?:client_secret|access_token|refresh_token)=)[^\s&"'\\]+""", re.IGNORECASE),
    # A header line, a mapping's item or a pair of bytes; the scheme is no secret. A name that is itself
    # a value ("name": "Authorization", "template": …) is followed by the next key.
    re.compile(
        r"""(\bauthorization\\*["']?\s*[:=,]\s*(?!\\*["']\w+\\*["']\s*:)(?:b?\\*["'])?
        (?:(?:bearer|basic|digest|token)\s+)?)
        [^\s"'\\,]+""",
        re.IGNORECASE | re.VERBOSE,
    ),
    # The words of prose and of WWW-Authenticate (RFC 6750 §3) stay readable.
    re.compile(
        r"""(\bbearer\s+)(?!tokens?\b|auth|(?:realm|scope|error\w*)=)[A-Za-z0-9._~+/=%:-]{4,}""",
        re.IGNORECASE,
    ),
    re.compile(r"(\b[Bb]asic\s+)(?=[a-z+/_-]*[A-Z0-9=])[A-Za-z0-9+/=%_-]{6,}"),
)

_WORDS = (
    ("token=", "secret=", "password=", "key="),
    ("client_secret=", "_token="),
    ("authorization",),
    ("bearer",),
    ("basic",),
)
"""Where none of these is in a text, the pattern at the same place finds nothing; they are found faster."""

_WORDS_OF_MEMBERS = ("token", "secret", "password", "authorization", "apikey", "api_key")

_MEMBER = re.compile(
    rf"""(?<!\\)(?P<slashes>\\{{0,63}})(?P<quote>["']){_NAMES}(?P=slashes)(?P=quote)\s*:\s*(?P=slashes)(?P=quote)""",
    re.IGNORECASE,
)
"""An object's member with a string for value, up to that value; ``slashes`` tell how deep it is escaped."""


def hide_credentials(text: str) -> str:
    """Return ``text`` with whatever stands where credentials stand hidden."""
    lowered = text.lower()
    for words, pattern in zip(_WORDS, _PATTERNS, strict=True):
        if any(word in lowered for word in words):
            text = pattern.sub(rf"\g<1>{HIDDEN}", text)
    return _hide_members(text) if any(word in lowered for word in _WORDS_OF_MEMBERS) else text


def _hide_members(text: str) -> str:
    """Hide strings of JSON and of reprs of mappings, those inside another string too."""
    parts = []
    done = 0
    for member in _MEMBER.finditer(text):
        if member.start() < done:
            continue
        end = _end_of_string(text, member.end(), len(member["slashes"]), member["quote"])
        parts += [text[done : member.end()], HIDDEN if end > member.end() else ""]
        done = end
    return "".join((*parts, text[done:]))


def _end_of_string(text: str, start: int, slashes: int, quote: str) -> int:
    """
    Return where the string ends whose opening quote stands behind so many backslashes.

    Each layer of encoding doubles the backslashes and adds one for the quote, so quotes and backslashes
    of the value come in multiples of ``2 * slashes + 2``. A quote with fewer ends an enclosing string.
    """
    for found in re.compile(rf"(?<!\\)(\\*){quote}").finditer(text, start):
        escapes = len(found[1])
        if escapes < slashes:
            return found.start()
        if escapes % (2 * slashes + 2) == slashes:
            return found.end() - 1 - slashes
    return len(text)
