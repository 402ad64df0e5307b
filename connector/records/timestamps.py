"""Event times, as upstreams write them, in milliseconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from connector.records.fields import text_of

_LIMIT = 8_640_000_000_000
"""Milliseconds: what lies beyond (the year 2243) is no time of an event."""

_LONGEST = 40
"""Characters that a number may have, or a time that is remembered."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")  # what JSON allows, without a minus
_UNITS = (
    (Decimal(10**11), Decimal(1000)),
    (Decimal(10**14), Decimal(1)),
    (Decimal(10**17), Decimal("1e-3")),
    (Decimal(10**20), Decimal("1e-6")),
)


def milliseconds(raw: bytes) -> int | None:
    """
    Return the time in ``raw``, a JSON value as it was on the wire; ``None`` where it is no time.

    Understood are RFC 3339 (and ISO 8601 without an offset, taken as UTC) and unix times as numbers or
    strings, whose unit is told by their size: seconds below 10¹¹, then milliseconds below 10¹⁴,
    microseconds below 10¹⁷, nanoseconds. Parts of a millisecond are cut off.
    """
    try:
        text = text_of(raw).strip()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if _NUMBER.fullmatch(text):
        return _unix(Decimal(text)) if len(text) <= _LONGEST else None
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return _accepted((moment - _EPOCH) // _MILLISECOND)


def _unix(value: Decimal) -> int | None:
    for bound, to_milliseconds in _UNITS:
        if value < bound:
            return _accepted(int(value * to_milliseconds))
    return None


def _accepted(moment: int) -> int | None:
    # Kafka takes no negative timestamp (-1 means "none").
    return moment if 0 <= moment <= _LIMIT else None


class TimestampCache:
    """`milliseconds` with a memory: the times of a block's rows repeat."""

    def __init__(self, remember: int = 1024) -> None:
        self._remember = remember
        self._known: dict[bytes, int | None] = {}
        self.texts: dict[str, int] = {}
        """Times that were found so far, by what stood there without its quotes; some of them."""

    def __call__(self, raw: bytes) -> int | None:
        """Return what `milliseconds` returns."""
        try:
            return self._known[raw]
        except KeyError:
            found = milliseconds(raw)
            if len(raw) <= _LONGEST:
                if len(self._known) >= self._remember:
                    self._known.clear()
                    self.texts.clear()
                self._known[raw] = found
                if found is not None:
                    self.texts[text_of(raw)] = found
            return found
