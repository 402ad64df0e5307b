"""
Nothing that was handed to the `Redactor` leaves the process, in whatever encoding.

It works on rendered text, as the last step of every line, so that exceptions, warnings and libraries'
own messages go through it too.
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

HIDDEN = "***"

SHORTEST = 4
"""Shorter secrets would redact ordinary words; the configuration's checks are the place to refuse them."""

REMEMBERED = 100
"""How many rotated tokens are kept; what was configured is never forgotten."""

_VALUE = r"[^\s&\"'<>\\,;]+"
_PATTERNS = (
    re.compile(
        r"([?&](?:token|access_token|api_?key|apikey|key|secret|client_secret|password)=)" + _VALUE,
        re.IGNORECASE,
    ),
    re.compile(r"(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=%\"-]{6,}", re.IGNORECASE),
    re.compile(
        r"""(\\?["'](?:access_token|refresh_token|client_secret|password|authorization)\\?["']\s*:\s*\\?["'])"""
        r"""(?:\\.|[^"'\\])+""",
        re.IGNORECASE,
    ),
    re.compile(r"(\b(?:client_secret|access_token)=)" + _VALUE, re.IGNORECASE),
)


def _encodings(secret: str) -> Iterator[str]:
    raw = secret.encode("utf-8", "surrogatepass")
    yield secret
    for safe in ("", "/", "/:", "~", "!*'()", "/+=", "+", "="):
        encoded = quote(secret, safe=safe, errors="replace")
        yield encoded
        yield re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), encoded)
        yield quote(encoded, safe="")
    plus = quote_plus(secret, errors="replace")
    yield plus
    yield re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), plus)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(raw).decode()
        yield text
        yield text.rstrip("=")
        yield quote(text, safe="")
    for ascii_only in (True, False):
        escaped = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        yield escaped
        yield escaped.replace("/", "\\/")
        # A line that is JSON in JSON.
        yield json.dumps(escaped, ensure_ascii=ascii_only)[1:-1]
    yield repr(secret)[1:-1]
    yield repr(raw)[2:-1]
    yield json.dumps(repr(secret)[1:-1])[1:-1]
    yield json.dumps(repr(raw)[2:-1])[1:-1]
    yield html.escape(secret)
    yield html.escape(secret, quote=False)


class Redactor:
    """Knows the secrets. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, None] = {}
        self._passing: OrderedDict[str, None] = OrderedDict()
        self._texts: tuple[str, ...] | None = ()

    def add(self, secret: str, *, keep: bool = True) -> None:
        """
        Hide ``secret`` from now on.

        With ``keep=False`` it is forgotten once `REMEMBERED` newer ones have come. Secrets shorter than
        `SHORTEST` are not taken.
        """
        if len(secret) < SHORTEST:
            return
        with self._lock:
            if keep:
                self._kept[secret] = None
            else:
                self._passing[secret] = None
                self._passing.move_to_end(secret)
                while len(self._passing) > REMEMBERED:
                    self._passing.popitem(last=False)
            self._texts = None

    def redact(self, text: str) -> str:
        """Return ``text`` with every secret, and whatever looks like one in its place, hidden."""
        texts = self._texts
        for secret in self._encoded() if texts is None else texts:
            # Looking for each is several times faster than one pattern of thousands of alternatives.
            if secret in text:
                text = text.replace(secret, HIDDEN)
        for known in _PATTERNS:
            text = known.sub(rf"\g<1>{HIDDEN}", text)
        return text

    def _encoded(self) -> tuple[str, ...]:
        with self._lock:
            texts = {text for secret in (*self._kept, *self._passing) for text in _encodings(secret)}
            # Longest first, so that no shorter encoding leaves a tail of a longer one.
            found = tuple(sorted((text for text in texts if len(text) >= SHORTEST), key=len, reverse=True))
            self._texts = found
            return found
