"""Large arrivals, part by part."""

from __future__ import annotations

import msgspec

from connector.records.list_slices import HeldRows, ListSlices, Slices
from connector.records.seam import RowSource
from connector.task.parts import parts_of
from connector.task.receiver import ROW_OVERHEAD, Arrival


def arrival(slices: Slices) -> Arrival:
    return Arrival([], 1.0, 1000, slices.size, RowSource(1), frames=3, slices=slices)


def test_many_rows_go_on_in_parts_that_take_what_they_take_in_all() -> None:
    rows = [msgspec.Raw(b"%d" % number) for number in range(2500)]
    told: list[tuple[int, int]] = []
    parts = list(parts_of(arrival(HeldRows(rows, 9000)), lambda *one: told.append(one), 1000))
    assert [len(part.rows) for part in parts] == [1000, 1000, 500]
    assert [row for part in parts for row in part.rows] == rows
    assert sum(part.size for part in parts) == 9000 + 64 * 2500 + sum(size for _, size in told)
    assert [part.frames for part in parts] == [0, 0, 3]


def test_rows_that_are_cut_from_a_list_are_told_before_and_count_as_they_come() -> None:
    told: list[tuple[int, int]] = []
    found = 0
    text = b"[" + b"7," * 99_999 + b"7]"
    size = 0
    for part in parts_of(arrival(ListSlices(text)), lambda *one: told.append(one), 1000):
        found += len(part.rows)
        size += part.size
        assert sum(rows for rows, _ in told) >= found
        assert len(part.rows) <= 1000
    assert found == sum(rows for rows, _ in told) == 100_000
    assert size == len(text) + sum(size for _, size in told)
    assert sum(size for _, size in told) == found * (ROW_OVERHEAD + 1)


def test_a_large_list_without_rows_is_let_go() -> None:
    told: list[tuple[int, int]] = []
    (part,) = parts_of(arrival(ListSlices(b"[   ]")), lambda *one: told.append(one), 1000)
    assert (part.rows, part.size, part.frames) == ([], 5, 3)
