"""Event times, as upstreams write them, in milliseconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from connector.records.fields import text_of

_LIMIT = 8_640_000_000_000_000 // 1000
"""Seconds that a timestamp may reach in either direction, so that no arithmetic overflows."""


def milliseconds(raw: bytes) -> int | None:
    """
    Return the time in ``raw``, a JSON value as it was on the wire; ``None`` where it is no time.

    Understood are RFC 3339 (and ISO 8601 without an offset, taken as UTC) and unix times as numbers or
    strings of digits, whose unit is told by their size: seconds below 10¹¹, then milliseconds below
    10¹⁴, microseconds below 10¹⁷, nanoseconds.
    """
    try:
        text = text_of(raw).strip()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if text.isascii() and text.isdigit():
        return _unix(int(text)) if len(text) <= 25 else None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _fraction(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return _accepted(round(moment.timestamp() * 1000))


def _unix(value: int) -> int | None:
    for digits, divisor in ((10**11, None), (10**14, 1), (10**17, 1_000), (10**30, 1_000_000)):
        if value < digits:
            return _accepted(value * 1000 if divisor is None else value // divisor)
    return None


def _fraction(text: str) -> int | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return _accepted(round(value * 1000)) if 0 <= value < 10**11 else None


def _accepted(moment: int) -> int | None:
    # Kafka takes no negative timestamp (-1 means "none").
    return moment if 0 <= moment <= _LIMIT else None


class Clock:
    """`milliseconds` with a memory: the times of a block's rows repeat."""

    def __init__(self, remember: int = 1024) -> None:
        self._remember = remember
        self._known: dict[bytes, int | None] = {}

    def __call__(self, raw: bytes) -> int | None:
        """Return what `milliseconds` returns."""
        try:
            return self._known[raw]
        except KeyError:
            if len(self._known) >= self._remember:
                self._known.clear()
            found = self._known[raw] = milliseconds(raw)
            return found
