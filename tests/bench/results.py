"""Runs as they are done, in a file that a later call goes on with; medians and ratios of them."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from tests.bench.cells import Cell
from tests.bench.measure import Sample

Figure = Callable[[Sample], float | None]


class Results:
    """Samples by cell and repetition. Each is written to ``file`` as it comes."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._samples: dict[str, dict[int, Sample]] = defaultdict(dict)
        if file.exists():
            for line in file.read_text().splitlines():
                kept = json.loads(line)
                self._samples[kept["cell"]][kept["repetition"]] = Sample(**kept["sample"])

    def has(self, cell: Cell, repetition: int) -> bool:
        """Whether that run is there already."""
        return repetition in self._samples[cell.key]

    def add(self, cell: Cell, repetition: int, sample: Sample) -> None:
        """Keep a run."""
        self._samples[cell.key][repetition] = sample
        line = {"cell": cell.key, "repetition": repetition, "sample": asdict(sample)}
        with self._file.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def figures(self, cell: Cell, figure: Figure) -> list[float]:
        """One figure of every run of ``cell``."""
        found = (figure(sample) for sample in self._samples[cell.key].values())
        return [value for value in found if value is not None]

    def median(self, cell: Cell, figure: Figure) -> float | None:
        """The median of a figure; ``None`` without runs."""
        found = self.figures(cell, figure)
        return statistics.median(found) if found else None

    def ratio(self, above: Cell, below: Cell, figure: Figure) -> float | None:
        """The median of the ratios of runs of the same repetition; ``None`` without any."""
        pairs = [
            (figure(sample), figure(self._samples[below.key][repetition]))
            for repetition, sample in self._samples[above.key].items()
            if repetition in self._samples[below.key]
        ]
        found = [one / other for one, other in pairs if one is not None and other]
        return statistics.median(found) if found else None


def cpu(sample: Sample) -> float:
    """CPU seconds for a million rows."""
    return sample.cpu_per_million


def speed(sample: Sample) -> float:
    """Rows a second."""
    return sample.rows_per_second


def memory(sample: Sample) -> float:
    """Peak resident megabytes."""
    return sample.peak_rss_mb


def core(sample: Sample) -> float:
    """The share of a core that the candidate used."""
    return sample.cpu_per_million * sample.rows_per_second / 1e6
