"""How mistakes are shown."""

from __future__ import annotations

import pytest

from connector.cli.problems import show
from connector.errors import Problem
from connector.telemetry import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a é → …", "a é → …"),
        ("a\x1b[2J", "a\\x1b[2J"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\u202ea\x00\ud800", "\\u202ea\\x00\\ud800"),
    ],
)
def test_what_is_not_printable_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_no_part_of_a_problem_reaches_the_terminal_raw(capsys: pytest.CaptureFixture[str]) -> None:
    bad = "x\x1b]0;title\x07\nforged.yaml:1: all is well"
    show([Problem(where=bad, path=bad, message=bad, remedy=bad)])
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert len(said.splitlines()) == 3
