"""
``python -m tests.bench.pauses``: what the same work costs when there are pauses between.

A processor that was idle, or did something else, has forgotten what it had at hand, and on a shared machine
so much more. One frame's decoding and encoding is done without pause, and so many times a second. Ends with
one JSON object on stdout: microseconds of CPU for each time, by times a second.
"""

from __future__ import annotations

import json
import os
import time

from tests.bench.feeder import row
from tests.bench.processes import CANDIDATE_CORE

WARM_UP = 500
RATES = (3000, 1000, 300, 100)
SECONDS = 3.0


def main() -> None:
    """Measure and tell."""
    os.sched_setaffinity(0, {CANDIDATE_CORE})
    rows = [row(number, "2026-01-01T00:00:00Z") for number in range(10)]
    found = {"without_pause": _cost(rows, None)}
    for rate in RATES:
        found[str(rate)] = _cost(rows, rate)
    print(json.dumps({name: round(cost * 1e6) for name, cost in found.items()}))


def _cost(rows: list[bytes], rate: int | None) -> float:
    for _ in range(WARM_UP):
        _work(rows)
    times = int(SECONDS * (rate or 1000))
    began, used = time.monotonic(), time.process_time()
    for number in range(times):
        _work(rows)
        if rate is not None:
            time.sleep(max(0.0, began + (number + 1) / rate - time.monotonic()))
    return (time.process_time() - used) / times


def _work(rows: list[bytes]) -> None:
    for one in rows:
        json.dumps(json.loads(one))


if __name__ == "__main__":
    main()
