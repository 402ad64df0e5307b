"""`retry_after_seconds` (RFC 9110 §10.2.3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.http import retry_after_seconds
from connector.http.retry_after import LONGEST_RETRY_AFTER

NOON = 1_445_412_480.0  # Wed, 21 Oct 2015 07:28:00 GMT


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("9" * 400, LONGEST_RETRY_AFTER),
        ("Wed, 21 Oct 2015 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2015 07:28:30 -0000", 30.0),
        ("Wednesday, 21-Oct-15 07:28:30 GMT", 30.0),
        ("Wed Oct 21 07:28:30 2015", 30.0),
        ("Wed, 21 Oct 2015 07:27:00 GMT", 0.0),
        ("Wed, 21 Oct 9999 07:27:00 GMT", LONGEST_RETRY_AFTER),
        ("20, 20", 20.0),
        ("5,9", 9.0),
        ("30s", 30.0),
        ("120 seconds", 120.0),
        ("5m", None),
        ("Wed, 21 Oct 2015 07:28:60 GMT", 60.0),
        ("-5", None),
        ("5, soon", None),
        ("٣", None),
        ("soon", None),
        ("", None),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
    ],
)
def test_both_forms_are_read_and_nonsense_is_none(value: str, seconds: float | None) -> None:
    assert retry_after_seconds({"retry-after": value}, wall_clock=lambda: NOON) == seconds


@pytest.mark.parametrize("off", [-1800.0, 0.0, 1800.0, 10**9])
@pytest.mark.parametrize("date", ["Wed, 21 Oct 2015 07:28:00 GMT", " Wed, 21 Oct 2015 07:28:00 -0000"])
def test_a_date_is_counted_from_that_of_the_answer(off: float, date: str) -> None:
    headers = {"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT", "date": date}
    assert retry_after_seconds(headers, wall_clock=lambda: NOON + off) == 30.0


@pytest.mark.parametrize(
    "date",
    [
        "",
        "now",
        "Thu, 01 Jan 1970 00:00:07 GMT",
        "Sat, 01 Jan 2000 00:00:00 GMT",
        "Wed, 99 Oct 2015 07:28:00 GMT",
    ],
)
def test_without_a_usable_date_of_the_answer_our_clock_counts(date: str) -> None:
    headers = {"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT", "date": date}
    assert retry_after_seconds(headers, wall_clock=lambda: NOON) == 30.0


def test_no_header_is_none() -> None:
    assert retry_after_seconds({}) is None


@given(st.text())
def test_any_value_is_none_or_a_wait_within_bounds(value: str) -> None:
    seconds = retry_after_seconds({"retry-after": value})
    assert seconds is None or 0 <= seconds <= LONGEST_RETRY_AFTER
