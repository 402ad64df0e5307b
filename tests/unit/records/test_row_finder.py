"""Where the rows are: they stay the bytes that came, and no bytes make it fail. No record is built here."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.records.list_slices import ListSlices
from connector.records.row_finder import RowFinder

PATH = ("EVM", "Trades")


def payload(one: RowFinder, raw: bytes) -> Any:
    return msgspec.json.decode(raw, type=one.payload_type)


def test_rows_are_slices_of_the_message() -> None:
    one = RowFinder(PATH)
    rows = [b'{"a" : 1.50}', b"null", b'"\xff\xfe"', b"12345678901234567890", b"1e400", b"[ ]"]
    message = b'{"data":{"EVM": {"Trades" :[ %s ]}}}' % b" , ".join(rows)
    found = one.rows_of(payload(one, message))
    assert found is not None
    assert [bytes(row) for row in found] == rows


@pytest.mark.parametrize(
    "message",
    [b"{}", b'{"data":null}', b'{"data":{}}', b'{"data":{"EVM":null}}', b'{"data":{"EVM":{"Trades":null}}}'],
)
def test_a_path_that_leads_to_nothing(message: bytes) -> None:
    one = RowFinder(PATH)
    assert one.rows_of(payload(one, message)) is None


@pytest.mark.parametrize("errors", [b"null", b"[]", b'[{"message":"no"}]'])
def test_with_errors_beside_it_the_result_is_looked_at_more_closely(errors: bytes) -> None:
    one = RowFinder(PATH)
    assert one.rows_of(payload(one, b'{"errors":%s,"data":{"EVM":{"Trades":[1]}}}' % errors)) is None


def test_an_empty_list_is_no_rows_and_not_nothing() -> None:
    one = RowFinder(PATH)
    assert one.rows_of(payload(one, b'{"data":{"EVM":{"Trades":[]}}}')) == []


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"EVM":{"Trades":[1, {"a" : 2}]}}', [b"1", b'{"a" : 2}']),
        (b'{"EVM":{"Trades":{"a" : 1}}}', [b'{"a" : 1}']),
        (b'{"EVM":{"Trades":7}}', [b"7"]),
        (b'{"EVM":{"Trades":[]}}', []),
        (b'{"EVM":{"Trades":null}}', None),
        (b'{"EVM":{"Trades": null }}', None),
        (b'{"EVM":null}', None),
        (b'{"EVM":[1]}', None),
        (b'{"EVM":"x"}', None),
        (b'{"Other":1}', None),
        (b"null", None),
        (b"[]", None),
        (b"", None),
        (b"{", None),
        (b'{"\\u0045VM":{"\\u0054rades":[1]}}', [b"1"]),
        (b'{"EVM":{"Trades":[1]},"EVM":{"Trades":[2]}}', [b"2"]),
        (b'{"EVM":{"Trades":[1]},"EVM":null}', None),
        (b'{"EVM":{"Trades":[1],"Trades":{"a":2}}}', [b'{"a":2}']),
        (b'{"\xff":1,"EVM":{"Trades":[1]}}', None),
        (b'{"EVM":{"Trades":["\xff"]}}', [b'"\xff"']),
        (b"[" * 5000, None),
    ],
)
def test_rows_are_found_in_data_of_any_shape(data: bytes, expected: list[bytes] | None) -> None:
    found = RowFinder(PATH).find_rows(data)
    assert not isinstance(found, ListSlices)
    assert (None if found is None else [bytes(row) for row in found]) == expected


@given(st.binary())
def test_no_bytes_make_finding_rows_fail(data: bytes) -> None:
    RowFinder(PATH).find_rows(data)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"EVM":{"Trades":[1]}}', False),
        (b'{"EVM":{"Trades":null}}', False),
        (b'{"EVM":{}}', False),
        (b'{"EVM": null }', False),
        (b"null", False),
        (b'{"EVM":[1]}', True),
        (b'{"EVM":"x"}', True),
        (b"7", True),
        (b"{", True),
    ],
)
def test_what_no_server_may_put_on_the_way_to_the_rows_is_told(data: bytes, expected: bool) -> None:
    assert RowFinder(PATH).is_malformed(data) is expected
