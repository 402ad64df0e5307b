"""What a body is once it is decoded (RFC 9110 §8.4), bounded in bytes however much it would inflate to."""

from __future__ import annotations

import zlib

_DEFLATED = {"gzip", "x-gzip", "deflate"}
"""Codes that are decoded though nobody asked for them; by one of them, not by two."""

_CODES = {*_DEFLATED, "br", "zstd", "compress", "x-compress"}
"""Codes that there are; under any other name a body is taken as it came."""

_GZIP_OR_ZLIB, _RAW = 47, -15  # of zlib's ``wbits``


def codes_of(encoding: str) -> list[str]:
    """Return what a ``Content-Encoding`` lists, but for `identity`, which is none."""
    return [code for code in map(str.strip, encoding.lower().split(",")) if code not in ("", "identity")]


def is_strange(codes: list[str]) -> bool:
    """Return whether a body in ``codes`` stays as it came, although it is encoded."""
    return bool(set(codes) & _CODES) and not (len(codes) == 1 and codes[0] in _DEFLATED)


def decoded(body: bytes, codes: list[str], most: int) -> bytes:
    """
    Return the first ``most`` bytes of ``body``, which is said to be in ``codes``.

    Where it is not, as behind proxies that decode and forget to say so, it is taken as it came.
    """
    if is_strange(codes) or not set(codes) & _DEFLATED:
        return body[:most]
    for bits in (_GZIP_OR_ZLIB, _RAW):
        decoder = zlib.decompressobj(wbits=bits)
        try:
            found = decoder.decompress(body, most)
        except zlib.error:
            continue
        # Without a head of its own almost anything begins as if it were deflated.
        if bits != _RAW or decoder.eof or len(found) == most:
            return found
    return body[:most]
