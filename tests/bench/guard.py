"""
``python -m tests.bench.guard``: a step of the gate, which fails only where most of the speed is gone.

The connector and the limit (receiving and decoding, nothing else) run in turn on the mock cluster. What
counts is the ratio of their CPU for a row: machines differ, and so do minutes. Ends with one JSON object on
stdout.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys

from tests.bench import cells
from tests.bench.cells import Cell
from tests.bench.measure import measure

LEAST_SHARE = 0.12
"""Of the limit's CPU in the connector's, at N=10: a third of what is usual."""
TURNS = 3
SECONDS, WARMUP = 3.0, 1.0


def main() -> None:
    """Measure; exit 1 where the share is below `LEAST_SHARE`."""
    arguments = _arguments()
    shares, rates = [], []
    for turn in range(1 if arguments.quick else TURNS):
        ours, limit = (
            measure(Cell(candidate=candidate), seconds=SECONDS, warmup=WARMUP, kafka=None)
            for candidate in (cells.PRODUCT, cells.PARSE)
        )
        shares.append(limit.cpu_per_million / ours.cpu_per_million)
        rates.append(ours.rows_per_second)
        print(
            f"{turn + 1}: {ours.rows_per_second:,.0f} rows/s, {ours.cpu_per_million:.2f} CPU-s for a million;"
            f" the limit takes {limit.cpu_per_million:.2f}",
            file=sys.stderr,
        )
    share = statistics.median(shares)
    is_good = share >= LEAST_SHARE
    if not is_good:
        print(f"the connector takes {1 / share:.1f} times the CPU of the limit", file=sys.stderr)
    print(
        json.dumps(
            {
                "share_of_parse_limit_n10": round(share, 3),
                "least": LEAST_SHARE,
                "rows_per_second": round(statistics.median(rates)),
                "is_good": is_good,
            }
        )
    )
    sys.exit(0 if is_good else 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-guard ARGS=…", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one turn")
    return parser.parse_args()


if __name__ == "__main__":
    main()
