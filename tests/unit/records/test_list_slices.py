"""Large lists, slice by slice."""

from __future__ import annotations

import json
import tracemalloc

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.records.list_slices import SLICE, ListSlices

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=9)
    | st.sampled_from(['",', "},{", "[", "\\"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


def elements_of(text: bytes) -> list[bytes]:
    slices = ListSlices(text)
    found: list[bytes] = []
    while rows := slices.next():
        assert sum(map(len, rows[:-1])) <= SLICE
        found += map(bytes, rows)
    assert slices.is_empty
    return found


@settings(max_examples=40)
@given(
    st.lists(VALUES, max_size=20), st.sampled_from([1, 4000]), st.sampled_from([(",", ":"), (" , ", " : ")])
)
def test_every_element_comes_once_and_in_order(
    values: list[object], times: int, marks: tuple[str, str]
) -> None:
    values = values * min(times, 150_000 // (len(json.dumps(values)) + 1) + 1)
    text = json.dumps(values, separators=marks, ensure_ascii=False).encode("utf-8", "surrogatepass")
    assert elements_of(b" " + text + b"\n") == [
        bytes(one) for one in msgspec.json.decode(text, type=list[msgspec.Raw])
    ]


@pytest.mark.parametrize(
    "element",
    [b"0", b"{}", b'""', b"[]", b"null", b'{"a":1,"b":[{"c":"},{"}]}', b'",\\",["', b"[" * 300 + b"]" * 300],
)
def test_a_slice_takes_little_memory_whatever_the_elements_are(element: bytes) -> None:
    count = 2**20 // len(element)
    slices = ListSlices(b"[" + b",".join([element] * count) + b"]")
    tracemalloc.start()
    try:
        found = 0
        while rows := slices.next():
            found += len(rows)
            assert set(map(bytes, rows)) == {element}
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == count
    assert peak < 200 * SLICE


def test_an_element_that_is_larger_than_a_slice_is_one_by_itself() -> None:
    large = b'{"a":[' + b"0," * SLICE + b'{"b":"' + b"x," * SLICE + b'"}]}'
    assert elements_of(b"[1," + large + b"," + large + b",2]") == [b"1", large, large, b"2"]


def test_the_first_ones_may_be_asked_for_alone() -> None:
    slices = ListSlices(b"[" + b'{"a":1}, ' * 100_000 + b"2]")
    assert [bytes(one) for one in slices.next(3)] == [b'{"a":1}'] * 3
    assert len(slices.next()) > 3
