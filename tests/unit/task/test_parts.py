"""Large arrivals, part by part."""

from __future__ import annotations

import msgspec

from connector.records.list_slices import ListSlices
from connector.task.parts import parts_of
from connector.task.receiver import ROW_OVERHEAD, Arrival


def arrival(rows: list[msgspec.Raw], **more: object) -> Arrival:
    return Arrival(rows, 1.0, 1000, 977, frames=3, **more)  # type: ignore[arg-type]


def test_many_rows_go_on_in_parts_that_take_what_the_whole_took() -> None:
    rows = [msgspec.Raw(b"%d" % number) for number in range(2500)]
    parts = list(parts_of(arrival(rows), lambda rows, size: None, 1000))
    assert [len(part.rows) for part in parts] == [1000, 1000, 500]
    assert [row for part in parts for row in part.rows] == rows
    assert sum(part.size for part in parts) == 977
    assert [part.frames for part in parts] == [0, 0, 3]


def test_parts_of_whole_size_leave_no_empty_one() -> None:
    rows = [msgspec.Raw(b"0")] * 2000
    assert [len(part.rows) for part in parts_of(arrival(rows), lambda rows, size: None, 1000)] == [1000, 1000]
    assert [part.rows for part in parts_of(arrival([]), lambda rows, size: None, 1000)] == [[]]


def test_rows_that_are_cut_from_a_list_are_told_before_and_count_as_they_come() -> None:
    told: list[tuple[int, int]] = []
    found = 0
    text = b"[" + b"7," * 99_999 + b"7]"
    size = 0
    for part in parts_of(arrival([], slices=ListSlices(text)), lambda *one: told.append(one), 1000):
        found += len(part.rows)
        size += part.size
        assert sum(rows for rows, _ in told) >= found
        assert len(part.rows) <= 1000
    assert found == sum(rows for rows, _ in told) == 100_000
    assert size == 977 + sum(size for _, size in told)
    assert sum(size for _, size in told) == found * (ROW_OVERHEAD + 1)


def test_a_large_list_without_rows_is_let_go() -> None:
    told: list[tuple[int, int]] = []
    (part,) = parts_of(arrival([], slices=ListSlices(b"[   ]")), lambda *one: told.append(one), 1000)
    assert (part.rows, part.size, part.frames) == ([], 977, 3)
