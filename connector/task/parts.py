"""Large arrivals, part by part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from connector.task.receiver import ROW_OVERHEAD, Arrival


def parts_of(arrival: Arrival, found: Callable[[int, int], None], most: int) -> Iterator[Arrival]:
    """
    Give the parts of ``arrival``, in order, with at most ``most`` rows each; the last one stands for its
    frames, and for what else it takes in memory. There is at least one.

    ``found`` is told before of each: how many rows, and what they take.
    """
    slices = arrival.slices
    assert slices is not None
    while True:
        rows = slices.next()
        is_last = slices.is_empty
        size = sum(map(len, rows)) + ROW_OVERHEAD * len(rows)
        found(len(rows), size)
        cut = Arrival(rows, arrival.received_at, arrival.received_ms, size, arrival.source, frames=0)
        if is_last:
            cut.size += arrival.size
            cut.frames = arrival.frames
        yield from _split(cut, most)
        if is_last:
            return


def _split(arrival: Arrival, most: int) -> Iterator[Arrival]:
    rows, left = arrival.rows, arrival.size
    for first in range(0, len(rows) - most, most):
        size = arrival.size * most // len(rows)
        left -= size
        yield replace(arrival, rows=rows[first : first + most], size=size, frames=0)
    done = max(0, -(-len(rows) // most) - 1) * most
    yield replace(arrival, rows=rows[done:], size=left)
