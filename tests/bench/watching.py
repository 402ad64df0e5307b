"""A process watched for a while: what the kernel says of it at regular moments, and the slopes of that."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.bench.processes import resident, usage

HOUR = 3600.0
MB = 1e6


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """``at`` seconds after the beginning; ``rss`` in bytes; ``more`` is what the caller looks at besides."""

    at: float
    rss: int
    descriptors: int
    threads: int
    cpu_seconds: float
    more: dict[str, float]


def look(pid: int, *, since: float, more: dict[str, float] | None = None) -> Moment:
    """The process ``pid`` now."""
    descriptors = threads = 0
    with contextlib.suppress(OSError):
        descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        threads = len(os.listdir(f"/proc/{pid}/task"))
    return Moment(
        at=time.monotonic() - since,
        rss=resident(pid),
        descriptors=descriptors,
        threads=threads,
        cpu_seconds=usage(pid).cpu_seconds,
        more=more or {},
    )


def watched(
    pid: int, *, seconds: float, every: float, more: Callable[[], dict[str, float]] = dict
) -> Iterator[Moment]:
    """Look every ``every`` seconds for ``seconds``."""
    began = time.monotonic()
    turn = 0
    while turn * every <= seconds:
        time.sleep(max(0.0, began + turn * every - time.monotonic()))
        yield look(pid, since=began, more=more())
        turn += 1


def slope(points: Sequence[tuple[float, float]]) -> float:
    """How much the second number grows for each one of the first: least squares; 0 for one point."""
    if len(points) < 2:
        return 0.0
    middle = math.fsum(x for x, _ in points) / len(points)
    level = math.fsum(y for _, y in points) / len(points)
    spread = math.fsum((x - middle) ** 2 for x, _ in points)
    return math.fsum((x - middle) * (y - level) for x, y in points) / spread if spread else 0.0


def per_hour(moments: Sequence[Moment], figure: Callable[[Moment], float]) -> float:
    """The slope of a figure over the second half, per hour: the first half is for caches to fill."""
    half = moments[len(moments) // 2 :]
    return slope([(moment.at / HOUR, figure(moment)) for moment in half])
