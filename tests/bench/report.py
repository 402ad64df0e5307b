"""The table for people and the object for machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from tests.bench import cells
from tests.bench.cells import Cell
from tests.bench.results import Figure, Results, core, cpu, memory, speed
from tests.bench.stall import ALLOWANCE, INBOX
from tests.bench.watching import MB

BASE = Cell(candidate=cells.PRODUCT)


def show(results: Results, groups: Sequence[Sequence[Cell]], console: Console) -> None:
    """Print a table for each group: medians, and the spread of CPU from the least to the most."""
    for group in groups:
        table = Table(title=group[0].factor, title_justify="left")
        for column in (
            "candidate",
            "rows/s",
            "CPU-s per 1M rows",
            "least … most",
            "peak MB",
            "naive ÷ it (CPU)",
        ):
            table.add_column(column, justify="left" if column == "candidate" else "right")
        for cell in group:
            found = results.figures(cell, cpu)
            if not found:
                continue
            naive = results.ratio(replace(cell, candidate=cells.NAIVE), cell, cpu)
            table.add_row(
                cell.candidate if len({c.factor for c in group}) == 1 else f"{cell.candidate}, {cell.factor}",
                _text(results.median(cell, speed), "{:,.0f}"),
                _text(results.median(cell, cpu), "{:.2f}"),
                f"{min(found):.2f} … {max(found):.2f}",
                _text(results.median(cell, memory), "{:.0f}"),
                _text(naive, "{:.1f}"),
            )
        console.print(table)


def summary(results: Results, latency: Sequence[Cell]) -> dict[str, float | None]:
    """What the last line says. ``None`` stands for what was not measured."""

    def against(candidate: str, rows: int = 10, figure: Figure = cpu) -> float | None:
        other = replace(BASE, candidate=candidate, rows=rows)
        return results.ratio(other, replace(BASE, rows=rows), figure)

    near = replace(BASE, beside=cells.RTT)
    product = next((cell for cell in latency if cell.candidate == cells.PRODUCT), None)
    half = next((cell for cell in latency if cell.candidate == cells.PRODUCT and cell.rows != 1), None)
    found = {
        "cpu_vs_naive_n10": against(cells.NAIVE),
        "cpu_vs_naive_n1": against(cells.NAIVE, rows=1),
        "cpu_vs_naive_n200": against(cells.NAIVE, rows=200),
        "cpu_vs_careful_n10": against(cells.CAREFUL),
        "cpu_vs_quix_n10": against(cells.QUIX),
        "cpu_vs_quix_tuned_n10": against(cells.QUIX_TUNED),
        "share_of_parse_limit_n10": against(cells.PARSE),
        "itself_n10": against(cells.PRODUCT_AGAIN),
        "rate_at_10_ms_rtt": results.ratio(replace(near, rtt=0.01), near, speed),
        "rows_per_second_n10": results.median(BASE, speed),
        "cpu_seconds_per_million_n10": results.median(BASE, cpu),
        "rss_mb": results.median(BASE, memory),
        "p50_ms": results.median(product, lambda sample: sample.p50_ms) if product else None,
        "p99_ms": results.median(product, lambda sample: sample.p99_ms) if product else None,
        "half_load_p50_ms": results.median(half, lambda sample: sample.p50_ms) if half else None,
        "half_load_p99_ms": results.median(half, lambda sample: sample.p99_ms) if half else None,
        "half_load_core": results.median(half, core) if half else None,
    }
    return {name: None if value is None else round(value, 3) for name, value in found.items()}


TARGETS = {
    "cpu_vs_naive_n10": ("≥", 9.0),
    "cpu_vs_naive_n1": ("≥", 5.5),
    "cpu_vs_quix_n10": ("≥", 2.5),
    "share_of_parse_limit_n10": ("≥", 0.4),
    "rate_at_10_ms_rtt": ("≥", 0.9),
    "p50_ms": ("≤", 1.0),
    "p99_ms": ("≤", 3.0),
    "stall_peak_mb": ("≤", round((INBOX + ALLOWANCE) / MB)),
    "first_socket_s": ("≤", 1.5),
    "idle_rss_mb": ("≤", 80.0),
    "busy_100_core": ("≤", 0.25),
    "busy_100_rss_mb": ("≤", 150.0),
}
"""What the product must reach."""


def targets(found: dict[str, float | None]) -> Table:
    """What must be reached beside what was measured."""
    table = Table(title="what must be reached", title_justify="left")
    for column in ("figure", "reach", "measured", ""):
        table.add_column(column)
    for name, (sign, bound) in TARGETS.items():
        value = found.get(name)
        if value is None:
            table.add_row(name, f"{sign} {bound:g}", "not measured", "")
            continue
        reached = value >= bound if sign == "≥" else value <= bound
        table.add_row(name, f"{sign} {bound:g}", f"{value:g}", "reached" if reached else "missed")
    return table


def _text(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)
