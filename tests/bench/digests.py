"""
``python -m tests.bench.digests``: what the digests of identities cost, in one process.

Frames of ten rows are extracted with an identity of three fields and without one, in turn. Ends with one
JSON object on stdout: CPU seconds for a million rows, each the median of the rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

import msgspec

from connector.records.extract import Extractor
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
    ways = {"without": _extractor(()), "with": _extractor(IDENTITY)}
    took: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, one in ways.items():
            began = time.process_time()
            for frame in frames:
                one.extract(frame, [])
            if turn:  # the first one learns what the fields hold
                took[name].append((time.process_time() - began) / ROWS * 1e6)
    found = {name: round(statistics.median(of_way), 2) for name, of_way in took.items()}
    print(json.dumps({**found, "digests": round(found["with"] - found["without"], 2)}))


def _extractor(identity: tuple[tuple[str, ...], ...]) -> Extractor:
    return Extractor(
        rows=("EVM", "DEXTrades"),
        key=(("Transaction", "Hash"),),
        timestamp=("Block", "Time"),
        headers=(),
        topic=TopicTemplate("bench", {}),
        identity=identity,
    )


if __name__ == "__main__":
    main()
