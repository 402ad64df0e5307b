"""``python -m tests.bench [--quick]``: measure, show tables, end with one JSON object."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.bench import cells
from tests.bench.cells import Cell
from tests.bench.foreign import NotInstalledError, quix_python
from tests.bench.kafka import apache_kafka
from tests.bench.measure import measure
from tests.bench.report import show, summary, targets
from tests.bench.results import Results, speed
from tests.bench.whole import TOOLS_FILE, Told, look

console = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 140)


def main() -> None:
    """Measure and report."""
    arguments = _arguments()
    directory = Path(arguments.directory)
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / ("quick.jsonl" if arguments.quick else "runs.jsonl")
    if not arguments.resume:
        file.unlink(missing_ok=True)
    results = Results(file)
    repetitions = arguments.repetitions or (3 if arguments.quick else 5)
    with contextlib.nullcontext(None) if arguments.quick else apache_kafka() as kafka:
        groups = [
            _possible(group) for group in cells.groups(quick=arguments.quick, with_kafka=kafka is not None)
        ]
        for group in groups:
            _run(group, results, repetitions, seconds=arguments.seconds, kafka=kafka)
        latency = cells.latency_cells(quick=arguments.quick)
        rate = results.median(Cell(candidate=cells.PRODUCT), speed)
        if rate is not None and not arguments.quick:
            latency = (*latency, cells.half_load_cell(rate))
        _run(latency, results, repetitions, seconds=arguments.seconds, kafka=kafka)
    tools = directory / TOOLS_FILE
    if not arguments.resume:
        tools.unlink(missing_ok=True)
    told: Told = {} if arguments.quick else look(tools, with_kafka=kafka is not None)
    show(results, [*groups, latency], console)
    found = summary(results, latency) | told
    console.print(targets(found))
    print(json.dumps(found))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the base cells on the mock cluster only")
    parser.add_argument("--resume", action="store_true", help="keep the runs that are there already")
    parser.add_argument("--seconds", type=float, default=6.0, help="of each window")
    parser.add_argument("--repetitions", type=int, help="of each cell (5; quick: 3)")
    parser.add_argument("--directory", default="build/bench", help="where the runs are kept")
    return parser.parse_args()


def _possible(group: Sequence[Cell]) -> tuple[Cell, ...]:
    """Without those whose environment cannot be made here, which is said once."""
    foreign = (cells.QUIX, cells.QUIX_TUNED)
    if not any(cell.candidate in foreign for cell in group):
        return tuple(group)
    try:
        quix_python()
    except NotInstalledError as error:
        console.print(f"without Quix Streams: {error}")
        return tuple(cell for cell in group if cell.candidate not in foreign)
    return tuple(group)


def _run(
    group: Sequence[Cell], results: Results, repetitions: int, *, seconds: float, kafka: str | None
) -> None:
    """Each repetition runs every cell once, and begins with another one."""
    for repetition in range(repetitions):
        turn = repetition % len(group)
        for cell in (*group[turn:], *group[:turn]):
            if results.has(cell, repetition):
                continue
            sample = measure(cell, seconds=seconds, warmup=1.5, kafka=kafka)
            results.add(cell, repetition, sample)
            console.print(
                f"{repetition + 1}/{repetitions}  {cell.key:<60}"
                f"{sample.rows_per_second:>12,.0f} rows/s {sample.cpu_per_million:>8.2f} CPU-s/M"
                f" {sample.peak_rss_mb:>6.0f} MB   feeder {sample.others_busy:.0%}"
            )


if __name__ == "__main__":
    main()
