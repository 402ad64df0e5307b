"""
What a dead letter looks like.

Its value is the row's own bytes; its headers say where they come from and what is wrong with them, in the
words of Kafka Connect's ``DeadLetterQueueReporter``, so that tools made for that one understand them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from connector.publish.size import weight
from connector.records.bad import BadRecord
from connector.records.record import EVENT_TIME_HEADER, Headers, SourceRecord

PREFIX = "__connect.errors."
"""What the names of Connect's headers begin with."""

ORIGINAL_BYTES = "original_bytes"
ORIGINAL_SHA256 = "original_sha256"
"""Length and digest, in hex, of a value that had to be cut: of the whole one."""

RECEIVED_AT_HEADER = "received_at"
USUAL = ("connector", "subscription", RECEIVED_AT_HEADER, EVENT_TIME_HEADER)
"""Headers of the connector's own, which a dead letter always keeps."""

MAX_TEXT = 1000
"""Characters of an error's message."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetterOrigin:
    """Who writes dead letters: the connector's name and the number of the task."""

    connector: str
    task: int


def compose(record: BadRecord, origin: DeadLetterOrigin, *, most: int | None) -> SourceRecord:
    """
    Return the dead letter of ``record``, in a batch of ``most`` bytes (``None``: however large it is).

    What does not fit is cut, the value last of all: headers that the row got from its own fields, and a key
    that leaves no room, are in the value anyway.
    """
    key, value = record.key, record.value
    usual, own = _parted(record)
    explained = _explained(record, origin)
    headers = [*usual, *own, *explained]
    if most is None or weight(key, headers) + len(value) <= most:
        return key, value, None, headers
    if weight(key, headers) > most // 2:
        headers = [*usual, *explained]
        if key is not None and len(key) > most // 4:
            key = None
        if weight(key, headers) + len(value) <= most:
            return key, value, None, headers
    headers += [
        (ORIGINAL_BYTES, b"%d" % len(value)),
        (ORIGINAL_SHA256, hashlib.sha256(value).hexdigest().encode()),
    ]
    room = max(most - weight(key, headers), 0)
    return key, bytes(memoryview(value)[:room]), None, headers


def _parted(record: BadRecord) -> tuple[Headers, Headers]:
    """The row's headers that are the connector's, and those from its fields."""
    usual = [header for header in record.headers if header[0] in USUAL]
    own = [header for header in record.headers if header[0] not in USUAL]
    known = dict(usual)
    if record.timestamp is not None and EVENT_TIME_HEADER not in known:
        moment = b"%d" % record.timestamp
        # A row without an event time is stamped with its arrival. A dead letter is stamped when it is
        # written: an event time of long ago would let it be deleted at once.
        if moment != known.get(RECEIVED_AT_HEADER):
            usual.append((EVENT_TIME_HEADER, moment))
    return usual, own


def _explained(record: BadRecord, origin: DeadLetterOrigin) -> Headers:
    found = {
        "topic": record.topic,
        "partition": record.partition,
        "connector.name": origin.connector,
        "task.id": origin.task,
        "stage": record.stage.value,
        "class.name": _name_of(record.executing_class),
        "exception.class.name": _name_of(type(record.error)),
        "exception.message": str(record.error)[:MAX_TEXT],
    }
    return [(PREFIX + name, str(text).encode()) for name, text in found.items() if text is not None]


def _name_of(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
