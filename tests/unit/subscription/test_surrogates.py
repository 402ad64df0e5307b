"""Halves of surrogate pairs become U+FFFD, whatever else stands around them, and cheaply."""

from __future__ import annotations

import json
import re
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.subscription.surrogates import STEP, Repair, without_lone_surrogates

PIECES = [
    rb"\ud800",
    rb"\udc00",
    rb"\uDBFF",
    rb"\uDfff",
    rb"\\",
    rb"\n",
    b"u",
    b"d800",
    b"x",
    rb"\"",
    rb"\u0041",
]
ONE_BY_ONE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


@given(st.lists(st.sampled_from(PIECES), max_size=80), st.integers(0, 40))
def test_lone_halves_are_replaced_and_nothing_else(pieces: list[bytes], lead: int) -> None:
    text = b"x" * (STEP - lead) + b"".join(pieces)
    expected = ONE_BY_ONE.sub(lambda one: rb"\ufffd" if one[1] else one[0], text)
    assert without_lone_surrogates(text) == expected
    assert without_lone_surrogates(text[STEP - lead :]) == expected[STEP - lead :]


@pytest.mark.parametrize(
    "piece",
    [rb"\ud800", rb"\ud800a", rb"\udc00\ud800", rb"\\", rb"\n", rb"\ud83d\ude00", rb"\u0041", b"\xff", b"\0"],
)
def test_a_repair_takes_a_small_multiple_of_its_text_and_comes_in_small_steps(piece: bytes) -> None:
    text = b'"' + piece * (2**22 // len(piece)) + rb'\ud800"'
    tracemalloc.start()
    try:
        repair, steps = Repair(text), 1
        while repair.step():
            steps += 1
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5 * len(text) + 20 * STEP
    assert steps > len(text) // STEP
    assert len(repair.repaired) == len(text)
    assert repair.repaired.endswith(rb'\ufffd"')


def test_what_stands_for_a_backslash_meanwhile_makes_no_json_of_what_is_none() -> None:
    assert without_lone_surrogates(b'"\x01\x01\\ud800"') == b'"\x01\x01\\ud800"'
    assert json.loads(without_lone_surrogates(rb'"\\ud800 \\\ud800"')) == "\\ud800 \\\ufffd"
