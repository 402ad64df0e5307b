"""
``python -m tests.bench.digests``: what the digests of identities cost, in one process.

The records of frames of ten rows are built without an identity, and with one of three fields whose digests
are 64 and 128 bits wide, in turn. Ends with one JSON object on stdout: CPU seconds for a million rows, each
the median of the rounds, and what the digests add to them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

import msgspec

from connector.records.identity import Identity
from connector.records.record_builder import RecordBuilder
from connector.records.record_spec import RecordSpec
from connector.records.topics import TopicTemplate
from tests.bench.feeder import row

IDENTITY = (("Transaction", "Hash"), ("Log", "Index"), ("Trade", "Index"))
ROWS, FRAME = 20_000, 10


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.digests", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="of 20,000 rows each way")
    rounds = parser.parse_args().rounds
    rows = [msgspec.Raw(row(number, "2026-01-01T00:00:00Z")) for number in range(ROWS)]
    frames = [rows[start : start + FRAME] for start in range(0, ROWS, FRAME)]
    ways = {
        "without": _builder(None),
        "with_64": _builder(Identity(fields=IDENTITY, bits=64)),
        "with_128": _builder(Identity(fields=IDENTITY, bits=128)),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, one in ways.items():
            began = time.process_time()
            for frame in frames:
                one.build(frame, [])
            if turn:  # the first one learns what the fields hold
                took[name].append((time.process_time() - began) / ROWS * 1e6)
    found = {name: round(statistics.median(of_way), 2) for name, of_way in took.items()}
    added = {f"digests_{bits}": round(found[f"with_{bits}"] - found["without"], 2) for bits in (64, 128)}
    print(json.dumps({**found, **added}))


def _builder(identity: Identity | None) -> RecordBuilder:
    return RecordBuilder(
        RecordSpec(
            topic=TopicTemplate("bench", {}),
            key=(("Transaction", "Hash"),),
            timestamp=("Block", "Time"),
            identity=identity,
        )
    )


if __name__ == "__main__":
    main()
