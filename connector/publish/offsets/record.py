"""
What a source offset looks like in ``<name>.offsets``.

The upstream is unordered, so an offset is a moment, not a position: up to ``covered_until`` all that was
received is in Kafka, but for the open ranges. The key is that of Kafka Connect's offset topic, a JSON array
of the connector and the source partition.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Annotated

import msgspec

VERSION = 1
"""Of the value's format. What an older program would misread gets a greater one."""

MOST_RANGES = 32
"""Open ranges that a record holds; of more of them the nearest are joined, which says less was covered."""

MOST_BYTES = 64 * 1024
"""Of a value; what is larger was not written by a connector."""

Moment = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
"""Milliseconds since 1970."""

_REASON = 200
"""Characters of a reason."""


class OpenRange(msgspec.Struct, frozen=True, kw_only=True):
    """
    A period that was not received, from ``since`` to ``until`` (unix ms; ``None``: it goes on). ``state`` is
    ``open`` until it is declared to be over; ``reason`` says how it began, and ``id`` is that of its event,
    ``None`` where none was told.
    """

    since: Moment
    until: Moment | None = None
    state: str = "open"
    reason: str = ""
    id: str | None = None


class OffsetRecord(msgspec.Struct, frozen=True, kw_only=True):
    """How far a subscription is covered (unix ms), and what before that is not."""

    covered_until: Moment
    open: tuple[OpenRange, ...] = ()


class Unreadable(ValueError):
    """A record is none of a connector's offsets."""


class NewerFormat(ValueError):
    """A value has ``version``, which this program does not know."""

    def __init__(self, version: int) -> None:
        super().__init__(f"version {version}")
        self.version = version


class _Head(msgspec.Struct):
    version: Annotated[int, msgspec.Meta(ge=1)]


_head = msgspec.json.Decoder(_Head)
_record = msgspec.json.Decoder(OffsetRecord)
_key = msgspec.json.Decoder(tuple[str, dict[str, str | int]])


def encode_key(connector: str, subscription: str) -> bytes:
    """Return the key of ``subscription``: the same bytes each time, since compaction compares them."""
    partition = {"subscription": subscription}
    return json.dumps([connector, partition], separators=(",", ":"), ensure_ascii=False).encode()


def decode_key(key: bytes | None) -> tuple[str, str | None]:
    """
    Return connector and subscription; ``None`` where it is a key of the connector for something else.

    Raises:
        Unreadable: It is no such key.
    """
    try:
        connector, partition = _key.decode(key or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unreadable("no key of a source offset") from None
    name = partition.get("subscription")
    return connector, name if isinstance(name, str) and len(partition) == 1 else None


def encode_value(record: OffsetRecord) -> bytes:
    """Return ``record`` as JSON with its version."""
    ranges = [msgspec.to_builtins(one) for one in bounded(record.open)]
    return msgspec.json.encode({"version": VERSION, "covered_until": record.covered_until, "open": ranges})


def decode_value(value: bytes) -> OffsetRecord:
    """
    Return what `encode_value` wrote.

    Raises:
        NewerFormat: A newer program wrote it.
        Unreadable: It is none.
    """
    if len(value) > MOST_BYTES:
        raise Unreadable("too large")
    try:
        version = _head.decode(value).version
        if version > VERSION:
            raise NewerFormat(version)
        record = _record.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unreadable("no source offset") from None
    if any(one.until is not None and one.until < one.since for one in record.open):
        raise Unreadable("a range that ends before it begins")
    return record


def bounded(ranges: Iterable[OpenRange], most: int = MOST_RANGES) -> tuple[OpenRange, ...]:
    """
    Return ``ranges`` by their beginnings, those that overlap or touch as one with the first one's reason,
    and no more than ``most``. No moment that was in one is in none.
    """
    merged: list[OpenRange] = []
    for one in sorted(ranges, key=lambda one: (one.since, one.until is None, one.until or 0)):
        if merged and (merged[-1].until is None or one.since <= merged[-1].until):
            merged[-1] = _joined(merged[-1], one)
        else:
            merged.append(one)
    while len(merged) > most:
        nearest = min(range(1, len(merged)), key=lambda at: _distance(merged, at))
        merged[nearest - 1 : nearest + 1] = [_joined(merged[nearest - 1], merged[nearest])]
    return tuple(msgspec.structs.replace(one, reason=one.reason[:_REASON]) for one in merged)


def _distance(ranges: Sequence[OpenRange], at: int) -> int:
    """Milliseconds between range ``at`` and the one before it, which has an end."""
    return ranges[at].since - (ranges[at - 1].until or 0)


def _joined(first: OpenRange, second: OpenRange) -> OpenRange:
    ends = (first.until, second.until)
    until = None if None in ends else max(end for end in ends if end is not None)
    return msgspec.structs.replace(first, until=until)
