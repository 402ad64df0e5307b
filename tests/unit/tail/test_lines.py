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


@pytest.mark.parametrize("letter", ["\x7f", "\x9b", "\x9d", "\u202e", "\u2066", "\u200e", "\u061c", "\u2028"])
def test_what_a_terminal_would_obey_is_escaped_and_means_the_same(letter: str) -> None:
    row = json.dumps({"a": f"x{letter}31m é € 😀"}, ensure_ascii=False).encode()
    line = line_of(row)

    assert letter.encode() not in line
    assert json.loads(line) == json.loads(row)
    assert "é € 😀".encode() in line


@pytest.mark.parametrize("letter", ["\x1b", "\x07", "\x00"])
def test_a_control_that_is_no_json_reaches_no_terminal(letter: str) -> None:
    assert letter.encode() not in line_of(f'{{"a":"x{letter}]0;title"}}'.encode())


def test_tabs_between_the_parts_stay_space() -> None:
    assert json.loads(line_of(b'{"a":\t1}')) == {"a": 1}
