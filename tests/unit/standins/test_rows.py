"""The rows of the stand-in upstream."""

import json

import pytest

from tests.standins.rows import RowStyle, block_time, make_row, row_number, transaction_hash


@pytest.mark.parametrize("style", [RowStyle(), RowStyle(spaced=True), RowStyle(row_bytes=3_000_000)])
def test_a_row_is_json_of_the_wished_size_that_tells_its_number(style: RowStyle) -> None:
    row = make_row("bsc", 12345, 1_790_000_000, style)
    fields = json.loads(row)
    assert len(row) == style.row_bytes
    assert row_number(row) == 12345
    assert fields["Transaction"]["Hash"] == transaction_hash("bsc", 12345)
    assert fields["Block"]["Time"] == block_time(1_790_000_000) == "2026-09-21T14:13:20Z"
    assert isinstance(fields["Block"]["Number"], str)


def test_prices_come_as_floats_and_as_the_integer_0_in_the_same_field() -> None:
    prices = [json.loads(make_row("bsc", number, 0))["Trade"]["Buy"]["Price"] for number in range(5)]
    assert {type(price) for price in prices} == {float, int}


def test_a_revision_has_the_same_identity_and_other_bytes() -> None:
    first, second = make_row("bsc", 7, 0), make_row("bsc", 7, 0, RowStyle(revision=1))
    assert first != second
    assert row_number(first) == row_number(second) == 7


def test_rows_of_two_feeds_share_no_hash() -> None:
    assert transaction_hash("a", 1) != transaction_hash("b", 1)


def test_bytes_that_are_no_row_have_no_number() -> None:
    assert row_number(b"null") is None
