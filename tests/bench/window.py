"""What is measured of a run: a window of time, or a number of rows from the first to the last."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench.processes import Usage, usage

LAST_ROW_DEADLINE = 180.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """``rows`` within ``seconds``; CPU seconds of candidate and feeder; the candidate's peak in bytes."""

    rows: int
    seconds: float
    cpu: float
    feeding: float
    peak_rss: int


class Watch:
    """Reads the clocks of two processes; ``count`` says how many rows are done."""

    def __init__(self, candidate: int, feeder: int, count: Callable[[], int]) -> None:
        self._candidate = candidate
        self._feeder = feeder
        self._count = count
        self._began = self._now()

    def _now(self) -> tuple[float, int, Usage, Usage]:
        return time.monotonic(), self._count(), usage(self._candidate), usage(self._feeder)

    def begin(self) -> None:
        """The window begins."""
        self._began = self._now()

    def end(self) -> Window:
        """The window has ended."""
        (began, rows, before, feeding), (ended, more, after, fed) = self._began, self._now()
        return Window(
            rows=more - rows,
            seconds=ended - began,
            cpu=after.cpu_seconds - before.cpu_seconds,
            feeding=fed.cpu_seconds - feeding.cpu_seconds,
            peak_rss=after.peak_rss,
        )

    def until(self, total: int, poll: Callable[[], int | None], log: Path) -> Window:
        """The window from where it began to the moment at which ``total`` rows are done."""
        deadline = time.monotonic() + LAST_ROW_DEADLINE
        while (done := self._count()) < total:
            if poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{done} of {total} rows came\n{log.read_text()[-2000:]}")
            time.sleep(0.05)
        return self.end()
