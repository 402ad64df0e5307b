"""What the command line takes."""

from __future__ import annotations

import pytest
import typer

from connector.cli.main import LONGEST_TAIL, _seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2", 2.0), ("2s", 2.0), ("0.5", 0.5), ("500ms", 0.5), ("5m", 300.0), ("1h30m", 5400.0), (" 3s ", 3.0)],
)
def test_a_time_is_a_number_of_seconds_or_has_a_unit(text: str, seconds: float) -> None:
    assert _seconds(0.1, LONGEST_TAIL)(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "2x", "nan", "inf", "-1", "-1s", "0", "0s", "1ms", "400d", "two"])
def test_what_is_no_time_is_refused_with_one_that_is(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="such as 30, 30s or 5m"):
        _seconds(0.1, LONGEST_TAIL)(text)
