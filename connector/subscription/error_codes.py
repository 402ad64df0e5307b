"""
Where servers put the code of an error: ``extensions.code`` (Apollo), and elsewhere.

AppSync writes ``errorType`` and ``errorCode`` beside the message, Spring ``extensions.classification``,
NestJS and Apollo the HTTP status below ``originalError`` and ``http``, Saleor ``extensions.exception.code``.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

LONGEST_CODE = 500
"""Characters of a code that are looked at."""

_LONGEST = 64 * 1024
"""Bytes of a code, or of what it stands in; a longer one is none."""

_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Codes(msgspec.Struct, rename="camel"):
    """The places of one level, each as it came."""

    code: msgspec.Raw = msgspec.Raw()
    classification: msgspec.Raw = msgspec.Raw()
    error_type: msgspec.Raw = msgspec.Raw()
    error_code: msgspec.Raw = msgspec.Raw()
    status_code: msgspec.Raw = msgspec.Raw()
    status: msgspec.Raw = msgspec.Raw()
    http: msgspec.Raw = msgspec.Raw()
    exception: msgspec.Raw = msgspec.Raw()
    original_error: msgspec.Raw = msgspec.Raw()
    response: msgspec.Raw = msgspec.Raw()


_codes = msgspec.json.Decoder(Codes)
_code: msgspec.json.Decoder[str | int | None] = msgspec.json.Decoder(str | int | None)


def codes_of(error: bytes | msgspec.Raw, extensions: bytes | msgspec.Raw) -> tuple[str, ...]:
    """Return the codes of ``error``, each once: first of its ``extensions``, and ``code`` before others."""
    found: dict[str, None] = {}
    for place in (extensions, error):
        level = _decoded(place)
        if level is not None:
            found |= dict.fromkeys(_of(level))
            for inner in (level.http, level.exception, level.original_error, level.response):
                below = _decoded(inner)
                found |= dict.fromkeys(_of(below) if below is not None else ())
    return tuple(found)


def _decoded(raw: bytes | msgspec.Raw) -> Codes | None:
    if not 2 < len(raw) <= _LONGEST:
        return None
    try:
        return _codes.decode(raw)
    except _BROKEN:
        return None


def _of(level: Codes) -> Iterator[str]:
    for raw in (
        level.code,
        level.classification,
        level.error_type,
        level.error_code,
        level.status_code,
        level.status,
    ):
        try:
            code = _code.decode(raw) if 0 < len(raw) <= _LONGEST else None
        except _BROKEN:
            code = None
        if code is not None and code != "":
            yield str(code)[:LONGEST_CODE]
