"""What became of rows, told row by row."""

from __future__ import annotations

import json
from collections.abc import Sequence

import msgspec

from connector.records.built import BuiltRecords
from connector.records.record import Value

Outcome = tuple[str, int | None]
"""``record``, ``failed`` or ``refused``, and the digest that stands beside the row."""


def number_of(value: Value) -> int:
    """Return the ``n`` of a row, whatever else is in it."""
    return int(json.loads(bytes(value).decode(errors="replace"))["n"])


def outcomes(built: BuiltRecords) -> list[dict[int, Outcome]]:
    """Return the rows by their ``n``: those of each topic, the failed and the refused, each in its order."""
    groups = []
    for topic, records in built.topics.items():
        digests: Sequence[int | None] = built.digests.get(topic, [None] * len(records))
        pairs = zip(records, digests, strict=True)
        groups.append({number_of(record[1]): ("record", digest) for record, digest in pairs})
    groups.append({number_of(bad.value): ("failed", bad.digest) for bad in built.failed})
    groups.append({number_of(row): ("refused", digest) for row, digest in built.refused})
    return groups


def digests_in_order(rows: Sequence[msgspec.Raw], built: BuiltRecords) -> list[int | None]:
    """Return the digest of each of ``rows``, which may be any JSON, wherever it is now; none is refused."""
    found: dict[int, int | None] = {id(bad.value): bad.digest for bad in built.failed}
    for topic, records in built.topics.items():
        for record, digest in zip(records, built.digests[topic], strict=True):
            found[id(record[1])] = digest
    return [found[id(row)] for row in rows]
