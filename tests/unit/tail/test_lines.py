"""One row, one line."""

import json

import pytest

from connector.tail import line_of


@pytest.mark.parametrize(
    "row",
    [
        b'{"a": 1,  "b":"x"}',
        b"null",
        b"1.50",
        b'"a\\nb"',
        b'{"n":12345678901234567890.10}',
        '{"ü":1}'.encode(),
    ],
)
def test_a_row_on_one_line_keeps_its_bytes(row: bytes) -> None:
    assert line_of(row) == row + b"\n"


@pytest.mark.parametrize("line_break", [b"\n", b"\r", b"\r\n"])
def test_a_row_over_several_lines_becomes_one_and_means_the_same(line_break: bytes) -> None:
    row = b'{ "price": 12345678901234567890.10,' + line_break + b'  "note": "a\\nb \\u00e9" }'
    line = line_of(row)
    assert line == b'{"price":12345678901234567890.10,"note":"a\\nb \\u00e9"}\n'
    assert json.loads(line) == json.loads(row)


def test_space_around_a_row_is_no_part_of_it() -> None:
    assert line_of(b' {"a":1}\n') == b'{"a":1}\n'
