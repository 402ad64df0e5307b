"""
``python -m tests.bench.startup [--quick]``: how long the connector takes to begin, and what imports cost.

From the start of the process to its first socket at the upstream, medians of several starts; `--version` and
`validate`; memory of one idle subscription. Ends with one JSON object on stdout.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.processes import CANDIDATE_CORE, ROOT, resident
from tests.bench.stage import CONNECTOR, connector, mock_broker, stay_aside, until, upstream

TOPIC = "bench"
IDLE = 5.0
"""Seconds after the first socket at which memory is looked at."""
IMPORTED = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+([\w.]+)")
SHOWN = 20

console = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 140)


def main() -> None:
    """Measure, show, end with the figures."""
    arguments = _arguments()
    stay_aside()
    turns = 2 if arguments.quick else arguments.turns
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        starts = [_start(Path(name)) for _ in range(turns)]
        file = str(Path(name) / "connector.yaml")  # the last start's
        commands = {
            "version_s": _median_of([CONNECTOR, "--version"], turns),
            "validate_s": _median_of([CONNECTOR, "validate", "-c", file], turns),
        }
        imports = _imports()
    table = Table(title="imports of connector run", title_justify="left")
    table.add_column("package")
    table.add_column("ms", justify="right")
    for package, seconds in imports.most_common(SHOWN):
        table.add_row(package, f"{seconds * 1000:.1f}")
    console.print(table)
    found = {
        "first_socket_s": statistics.median(first for first, _, _ in starts),
        "idle_rss_mb": statistics.median(rss for _, rss, _ in starts),
        "idle_scraped_rss_mb": statistics.median(rss for _, _, rss in starts),
        **commands,
        "imports_s": sum(imports.values()),
    }
    print(json.dumps({name: round(value, 3) for name, value in found.items()}))


def _start(directory: Path) -> tuple[float, float, float]:
    """Seconds to the first socket, and megabytes when idle, before and after somebody asked for metrics."""
    with (
        mock_broker(directory, [TOPIC]) as (brokers, _),
        upstream(directory, rows=10, rate=0.0) as served,
        connector(directory, url=served.url, brokers=brokers, topics=[TOPIC], oauth=served.oauth) as worker,
    ):
        until("a socket is open", lambda: bool(served.told().opened), within=60.0)
        first = served.told().opened[0] - worker.started_at
        time.sleep(IDLE)
        before = resident(worker.pid) / 1e6
        worker.scrape()
        time.sleep(1.0)
        console.print(f"first socket after {first:.2f} s, {before:.1f} MB")
        return first, before, resident(worker.pid) / 1e6


def _median_of(command: Sequence[str], turns: int) -> float:
    took = []
    for _ in range(turns):
        began = time.monotonic()
        subprocess.run(
            ["taskset", "-c", str(CANDIDATE_CORE), *command], check=True, capture_output=True, cwd=ROOT
        )
        took.append(time.monotonic() - began)
    return statistics.median(took)


def _imports() -> Counter[str]:
    """Seconds by top package, as ``-X importtime`` tells them; telling takes time itself."""
    program = [sys.executable, "-X", "importtime", "-c", "import connector.cli.main, connector.cli.run"]
    told = subprocess.run(program, check=True, capture_output=True, text=True, cwd=ROOT).stderr
    packages: Counter[str] = Counter()
    for own, module in IMPORTED.findall(told):
        packages[module.partition(".")[0]] += int(own)
    return Counter({package: micro / 1e6 for package, micro in packages.items()})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-startup ARGS=…", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two starts")
    parser.add_argument("--turns", type=int, default=5, help="starts")
    return parser.parse_args()


if __name__ == "__main__":
    main()
