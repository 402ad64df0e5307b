"""Event times, as upstreams write them."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.records import timestamps
from connector.records.timestamps import TimestampCache, milliseconds

MOMENT = 1_771_500_305_000  # 2026-02-19T11:25:05Z


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ('"2026-02-19T11:25:05Z"', MOMENT),
        ('"2026-02-19t11:25:05z"', MOMENT),
        ('"2026-02-19 11:25:05+00:00"', MOMENT),
        ('"2026-02-19T13:25:05+02:00"', MOMENT),
        ('"2026-02-19T05:55:05-05:30"', MOMENT),
        ('"2026-02-19T11:25:05"', MOMENT),
        ('" 2026-02-19T11:25:05Z "', MOMENT),
        ('"2026-02-19T11:25:05.7Z"', MOMENT + 700),
        ('"2026-02-19T11:25:05.123Z"', MOMENT + 123),
        ('"2026-02-19T11:25:05.123456Z"', MOMENT + 123),
        ('"2026-02-19T11:25:05.999999999Z"', MOMENT + 999),
        ('"2026-02-19T11:25:05.9999+01:00"', MOMENT + 999 - 3_600_000),
        ('"2026-02-19"', MOMENT - (11 * 3600 + 25 * 60 + 5) * 1000),
        ('"2026-02-19T11:25:05\\u005a"', MOMENT),
        ("1771500305", MOMENT),
        ('"1771500305"', MOMENT),
        ("1771500305.123", MOMENT + 123),
        ('"1771500305.9999"', MOMENT + 999),
        ("1771500305123", MOMENT + 123),
        ("1771500305123.0", MOMENT + 123),
        ("1.771500305123e12", MOMENT + 123),
        ("1771500305123456", MOMENT + 123),
        ('"1771500305123456789"', MOMENT + 123),
        ("1771500305999999999", MOMENT + 999),
        ("0", 0),
        ("99999999999", None),  # the year 5138
        ("50000000000000", None),  # milliseconds of the year 3554, not microseconds of 1971
    ],
)
def test_times_are_understood(raw: str, expected: int | None) -> None:
    assert milliseconds(raw.encode()) == expected


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b'""',
        b'"junk"',
        b'"yesterday"',
        b"true",
        b"null",
        b"{}",
        b'{"Time":1771500305}',
        b"[1771500305]",
        b"-1",
        b"-1771500305",
        b'"-1771500305"',
        b'"1969-12-31T23:59:59Z"',
        b'"0001-01-01T00:00:00+23:59"',
        b'"9999-12-31T23:59:59-23:59"',
        b'"2026-02-30T00:00:00Z"',
        b'"2026-02-19T11:25:60Z"',
        b"1e400",
        b"9" * 21,
        b'"' + b"9" * 5000 + b'"',
        b'"1_771_500_305"',
        b'"\\uff11\\uff12"',  # digits, but not ASCII's
        b'"nan"',
        b'"inf"',
        b'"0x10"',
        b'"\xff"',
        b'"\\ud800"',
        b'"2026-02-19T11:25:05Z',
    ],
)
def test_junk_is_no_time(raw: bytes) -> None:
    assert milliseconds(raw) is None


def test_a_time_without_an_offset_is_utc_wherever_this_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert milliseconds(b'"2026-02-19T11:25:05"') == MOMENT
    finally:
        monkeypatch.undo()
        time.tzset()


@given(st.binary())
def test_no_bytes_make_it_fail(raw: bytes) -> None:
    assert (milliseconds(raw) or 0) >= 0
    assert (milliseconds(b'"' + raw + b'"') or 0) >= 0


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1)))
def test_iso_times_and_nanoseconds_agree(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    nanoseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)).days * 86_400 * 10**9
    nanoseconds += (
        moment.hour * 3600 + moment.minute * 60 + moment.second
    ) * 10**9 + moment.microsecond * 1000
    found = milliseconds(f'"{moment.isoformat()}"'.encode())
    assert found == nanoseconds // 10**6
    if nanoseconds >= 10**17:
        assert milliseconds(b"%d" % nanoseconds) == found


def test_a_clock_says_the_same_and_forgets() -> None:
    clock = TimestampCache(remember=2)
    for raw in (b"1771500305", b'"junk"', b"0", b"1771500305", b'"' + b"x" * 10_000 + b'"'):
        assert clock(raw) == clock(raw) == timestamps.milliseconds(raw)
