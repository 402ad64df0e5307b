"""What a server says of a bearer token in ``WWW-Authenticate`` (RFC 6750 §3)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"  # noqa: S105 - RFC 9110's word for such characters

# RFC 9110 §11.6.1: a scheme is a word by itself, a parameter has "=". What is neither is stepped over.
_PART = re.compile(
    rf'(?P<name>{_TOKEN})[ \t]*+=[ \t]*+(?:"(?P<quoted>(?:[^"\\]|\\.)*+)"|(?P<plain>{_TOKEN})|)'
    rf"|(?P<scheme>{_TOKEN})"
)
_SCHEMES = frozenset({"bearer", "dpop"})
"""DPoP (RFC 9449 §7.1) speaks of its tokens with the same words."""

_MOST_LINES = 16
_LONGEST_LINE = 8192
_LONGEST_VALUE = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Challenge:
    """
    ``error`` is the code (RFC 6750 §3.1), ``description`` a sentence for people, and ``scope`` what would be
    needed; each is empty where nothing was said, or nothing that RFC 6750 allows.
    """

    error: str = ""
    description: str = ""
    scope: str = ""


def bearer_challenge(lines: Iterable[str]) -> Challenge:
    """
    Return what the values of all ``WWW-Authenticate`` headers say of the token: the first one that names
    an error, whatever schemes stand beside it. Malformed values say nothing.
    """
    found: dict[str, str] = {}
    for line in list(lines)[:_MOST_LINES]:
        for parameters in _challenges(line[:_LONGEST_LINE]):
            found = found if "error" in found else parameters
    return Challenge(
        error=found.get("error", ""),
        description=found.get("error_description", ""),
        scope=found.get("scope", ""),
    )


def _challenges(line: str) -> Iterable[dict[str, str]]:
    """Return the parameters of each challenge to a bearer of tokens; of a repeated one, the first."""
    found: list[dict[str, str]] = []
    current: dict[str, str] | None = None
    for part in _PART.finditer(line):
        if part["scheme"]:
            current = {} if part["scheme"].lower() in _SCHEMES else None
            if current is not None:
                found.append(current)
        elif current is not None:
            quoted = part["quoted"]
            value = part["plain"] or "" if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            if value and value.isascii() and value.isprintable():
                current.setdefault(part["name"].lower(), value[:_LONGEST_VALUE])
    return found
