"""Plots for the docs, as small PNGs. matplotlib is the extra ``bench``, and is imported only here."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.watching import MB, Moment

if TYPE_CHECKING:
    from tests.bench.scale import Grown

PANEL = (4.2, 2.9)
"""Inches of one panel."""
DPI = 80


# The library is not checked (its types would take longer than all of ours), so its axes are anything.
Axes = Any


def growth(found: Sequence[Grown], file: Path) -> None:
    """Memory and CPU over the number of subscriptions, idle and busy."""
    with _panels(file, columns=2) as (memory, core):
        for busy, label in ((False, "idle"), (True, "busy")):
            ones = [one for one in found if one.busy is busy]
            numbers = [one.subscriptions for one in ones]
            memory.plot(numbers, [one.rss_mb for one in ones], marker="o", label=label)
            core.plot(numbers, [one.core * 100 for one in ones], marker="o", label=label)
        for axes, label in ((memory, "resident MB"), (core, "% of a core")):
            _name(axes, "subscriptions", label)
            axes.legend()


def stall(moments: Sequence[Moment], *, began: float, ended: float, bound: int, file: Path) -> None:
    """Memory and what is held for Kafka, which stood still from ``began`` to ``ended``."""
    with _panels(file, columns=1, width=2.0) as (memory,):
        times = [moment.at for moment in moments]
        memory.axvspan(began, ended, color="0.9", label="Kafka stands still")
        memory.plot(times, [moment.rss / MB for moment in moments], label="resident MB")
        memory.plot(
            times, [moment.more["held"] / MB for moment in moments], label="received, not acknowledged"
        )
        memory.axhline(bound / MB, color="0.4", linestyle=":", label="inbox.max_bytes")
        _name(memory, "seconds", "MB")
        memory.legend(fontsize="small")


def soak(moments: Sequence[Moment], file: Path) -> None:
    """Memory, descriptors, tasks and the loop's lag over time."""
    with _panels(file, columns=2, rows=2) as (memory, descriptors, tasks, lag):
        times = [moment.at / 60 for moment in moments]
        memory.plot(times, [moment.rss / MB for moment in moments])
        descriptors.plot(times, [moment.descriptors for moment in moments])
        tasks.plot(times, [moment.more["tasks"] for moment in moments])
        lag.plot(times, [moment.more["lag"] * 1000 for moment in moments])
        labels = ("resident MB", "descriptors", "tasks", "lag of the loop, ms")
        for axes, label in zip((memory, descriptors, tasks, lag), labels, strict=True):
            _name(axes, "minutes", label)


def bars(values: Sequence[tuple[str, float]], label: str, file: Path) -> None:
    """One bar for each name, from the top in the order given."""
    with _panels(file, columns=1, width=1.6) as (axes,):
        names = [name for name, _ in reversed(values)]
        drawn = axes.barh(names, [value for _, value in reversed(values)])
        axes.bar_label(drawn, fmt="%.1f", padding=3)
        axes.set_xlabel(label)
        axes.grid(axis="x", alpha=0.3)


def _name(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)


@contextlib.contextmanager
def _panels(file: Path, *, columns: int, rows: int = 1, width: float = 1.0) -> Iterator[Sequence[Axes]]:
    """Panels side by side; written to ``file`` at the end."""
    from matplotlib.figure import Figure

    size = (PANEL[0] * columns * width, PANEL[1] * rows)
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    yield [figure.add_subplot(rows, columns, place + 1) for place in range(rows * columns)]
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, metadata={"Software": None}, pil_kwargs={"optimize": True})
