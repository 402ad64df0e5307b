"""Every way in which a secret may get into a line, by the standard library's own encoders."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Mapping
from urllib.parse import quote, quote_plus


def lower_hex(text: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), text)


def to_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def to_url_base64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


ENCODERS: Mapping[str, Callable[[str], str]] = {
    "raw": lambda text: text,
    "percent": lambda text: quote(text, safe=""),
    "percent, lower hex": lambda text: lower_hex(quote(text, safe="")),
    "percent, path": quote,
    "percent, partly": lambda text: quote(text, safe="/=+"),
    "percent, twice": lambda text: quote(quote(text, safe=""), safe=""),
    "form": quote_plus,
    "form, lower hex": lambda text: lower_hex(quote_plus(text)),
    "base64": to_base64,
    "base64 without padding": lambda text: to_base64(text).rstrip("="),
    "base64, percent": lambda text: quote(to_base64(text), safe=""),
    "base64 for URLs": to_url_base64,
    "base64 for URLs without padding": lambda text: to_url_base64(text).rstrip("="),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON, unicode": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON, slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "repr": lambda text: repr(text)[1:-1],
    "repr of bytes": lambda text: repr(text.encode())[2:-1],
    "repr in JSON": lambda text: json.dumps(repr(text)[1:-1])[1:-1],
    "HTML": html.escape,
    "HTML, twice": lambda text: html.escape(html.escape(text)),
    "HTML without quotes": lambda text: html.escape(text, quote=False),
}


def shown(secret: str, text: str) -> list[str]:
    """Return the encodings in which ``text`` shows ``secret``."""
    return [name for name, encode in ENCODERS.items() if encode(secret) in text]
