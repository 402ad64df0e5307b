"""
``python -m tests.bench.seam``: what the seam adds to a row, in one process.

Records of frames of ten rows with an identity of three fields are built while nobody judges, and while a
window remembers identities that are unique, or inferred; no row comes twice. Then rows of two sessions are
joined. Ends with one JSON object on stdout: nanoseconds of CPU for a row, each the median of the rounds, in
turn; and bytes for each row that is remembered.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from connector.records.identity import Identity
from connector.records.list_slices import Slices
from connector.records.record_builder import RecordBuilder
from connector.records.record_spec import RecordSpec
from connector.records.seam import OverlapTimes, Seam, SeamSpec
from connector.records.topics import TopicTemplate
from tests.bench.feeder import row

IDENTITY = Identity(fields=(("Transaction", "Hash"), ("Log", "Index"), ("Trade", "Index")))
ROWS, FRAME = 5_000, 10
WINDOW = 1e6
"""Seconds; nothing gets old while this runs."""


@dataclass(slots=True)
class Arrived:
    """See `connector.records.seam.Receipt`."""

    rows: list[msgspec.Raw]
    received_at: float
    size: int
    slices: Slices | None = None


Way = Callable[[Sequence[list[msgspec.Raw]], float], None]


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.seam", description=__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="of 5,000 rows each way")
    rounds = parser.parse_args().rounds
    off, unique, inferred = (_seam(unique=None), _seam(unique=True), _seam(unique=False))
    ways: dict[str, Way] = {
        "off": _building(off),
        "unique": _building(unique),
        "inferred": _building(inferred),
        "joined": _joining(Seam(SeamSpec(join_bytes=2**30))),
        "joined_by_identity": _joining(Seam(SeamSpec(identity=IDENTITY, join_bytes=2**30))),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds):
        rows = [msgspec.Raw(row(turn * ROWS + number, "2026-01-01T00:00:00Z")) for number in range(ROWS)]
        frames = [rows[start : start + FRAME] for start in range(0, ROWS, FRAME)]
        for name, way in ways.items():
            began = time.thread_time()
            way(frames, float(turn))
            took[name].append((time.thread_time() - began) / ROWS * 1e9)
    found: dict[str, float] = {name: round(statistics.median(of_way)) for name, of_way in took.items()}
    remembered = rounds * ROWS
    sizes = {
        f"bytes_{name}": round(seam.size / remembered, 1)
        for name, seam in (("unique", unique), ("inferred", inferred))
    }
    added = {f"{name}_adds": found[name] - found["off"] for name in ("unique", "inferred")}
    print(json.dumps({**found, **added, **sizes}))


def _seam(*, unique: bool | None) -> Seam[Arrived]:
    window = None if unique is None else WINDOW
    return Seam(SeamSpec(identity=IDENTITY, unique=unique is not False, window=window, max_bytes=2**30))


def _building(seam: Seam[Arrived]) -> Way:
    builder = RecordBuilder(
        RecordSpec(
            topic=TopicTemplate("bench", {}),
            key=(("Transaction", "Hash"),),
            timestamp=("Block", "Time"),
            identity=IDENTITY,
        )
    )
    source = seam.open_source()

    def way(frames: Sequence[list[msgspec.Raw]], now: float) -> None:
        for frame in frames:
            seam.turn(now, source)
            builder.build(frame, [], seam.admits)
            seam.pending().settled()

    return way


def _joining(seam: Seam[Arrived]) -> Way:
    """Each row comes twice, by an old session and a new one, and is counted once."""
    old, new = seam.open_source(), seam.open_source()
    overlap = seam.begin_overlap(old, now=0.0, reach=5.0)
    overlap.subscribed(new, 0.0, OverlapTimes(least=5.0, until=WINDOW))

    def way(frames: Sequence[list[msgspec.Raw]], now: float) -> None:
        for frame in frames:
            seam.take(old, Arrived(frame, now, 1))
            seam.take(new, Arrived(frame, now, 1))

    return way


if __name__ == "__main__":
    main()
