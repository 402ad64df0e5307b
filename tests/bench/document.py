"""
``python -m tests.bench.document [FILE] [--plot PNG]``: a full run's results as Markdown, for the docs.

``FILE`` is what `make bench` keeps, ``build/bench/runs.jsonl``; what the other tools told lies beside it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tests.bench import cells, plots
from tests.bench.cells import Cell
from tests.bench.report import TARGETS, summary
from tests.bench.results import Results, cpu, memory, speed
from tests.bench.whole import TOOLS_FILE, Told, figures


def main() -> None:
    """Print the tables; write the plot where one is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", default="build/bench/runs.jsonl", type=Path)
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    results = Results(arguments.file)
    groups = list(cells.groups(quick=False, with_kafka=True))
    rate = results.median(Cell(candidate=cells.PRODUCT), speed)
    latency = (*cells.latency_cells(quick=False), *([cells.half_load_cell(rate)] if rate else []))
    tools = arguments.file.with_name(TOOLS_FILE)
    told: Told = figures(json.loads(tools.read_text())) if tools.exists() else {}
    print("\n".join(_targets(summary(results, latency) | told)))
    for group in groups:
        print("\n".join(_table(results, group)))
    print("\n".join(_latencies(results, latency)))
    if arguments.plot:
        base = [cell for cell in groups[0] if cell.candidate != cells.PRODUCT_AGAIN]
        bars = [(cell.candidate, value) for cell in base if (value := results.median(cell, cpu)) is not None]
        plots.bars(bars, "CPU seconds for a million rows, N=10", arguments.plot)


def _targets(found: dict[str, float | None]) -> Iterator[str]:
    yield "| figure | to be reached | measured |"
    yield "|---|---|---|"
    for name, value in found.items():
        sign, bound = TARGETS.get(name, ("", None))
        wanted = "" if bound is None else f"{sign} {bound:g}"
        yield f"| `{name}` | {wanted} | {'not measured' if value is None else f'{value:g}'} |"
    yield ""


def _table(results: Results, group: Sequence[Cell]) -> Iterator[str]:
    if not any(results.figures(cell, cpu) for cell in group):
        return
    yield "| | conditions | rows/s | CPU-s per 1M rows (least … most) | peak MB | CPU of naive ÷ its |"
    yield "|---|---|---|---|---|---|"
    for cell in group:
        figures = results.figures(cell, cpu)
        if not figures:
            continue
        naive = results.ratio(replace(cell, candidate=cells.NAIVE), cell, cpu)
        yield (
            f"| {cell.candidate} | {cell.factor} | {results.median(cell, speed):,.0f}"
            f" | {results.median(cell, cpu):.2f} ({min(figures):.2f} … {max(figures):.2f})"
            f" | {results.median(cell, memory):.0f} | {'' if naive is None else f'{naive:.1f}'} |"
        )
    yield ""


def _latencies(results: Results, group: Sequence[Cell]) -> Iterator[str]:
    yield "| received → acknowledged | p50 ms | p99 ms |"
    yield "|---|---|---|"
    for cell in group:
        p50, p99 = (results.median(cell, figure) for figure in (lambda s: s.p50_ms, lambda s: s.p99_ms))
        if p50 is not None and p99 is not None:
            yield f"| {cell.candidate}, {cell.factor} | {p50:.2f} | {p99:.2f} |"
    yield ""


if __name__ == "__main__":
    main()
