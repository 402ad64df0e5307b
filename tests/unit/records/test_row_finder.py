"""Where the rows are: they stay the bytes that came, and no bytes make it fail. No record is built here."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.records.list_slices import ListSlices
from connector.records.row_finder import RowFinder
from tests.unit.records.results import message, rows_in

PATH = ("EVM", "Trades")


def test_rows_are_slices_of_the_message() -> None:
    rows = [b'{"a" : 1.50}', b"null", b'"\xff\xfe"', b"12345678901234567890", b"1e400", b"[ ]"]
    found = rows_in(message(b'{"data":{"EVM": {"Trades" :[ %s ]}}}' % b" , ".join(rows)), RowFinder(PATH))
    assert found is not None
    assert [bytes(row) for row in found] == rows


@pytest.mark.parametrize(
    "result",
    [b"{}", b'{"data":null}', b'{"data":{}}', b'{"data":{"EVM":null}}', b'{"data":{"EVM":{"Trades":null}}}'],
)
def test_a_path_that_leads_to_nothing(result: bytes) -> None:
    assert rows_in(message(result), RowFinder(PATH)) is None


@pytest.mark.parametrize("errors", [b"null", b"[]", b'[{"message":"no"}]'])
def test_with_errors_beside_it_the_result_is_looked_at_more_closely(errors: bytes) -> None:
    frame = message(b'{"errors":%s,"data":{"EVM":{"Trades":[1]}}}' % errors)
    assert rows_in(frame, RowFinder(PATH)) is None


def test_an_empty_list_is_no_rows_and_not_nothing() -> None:
    assert rows_in(message(b'{"data":{"EVM":{"Trades":[]}}}'), RowFinder(PATH)) == []


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
        (b'{"\xff":1,"EVM":{"Trades":[1]}}', [b"1"]),
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


NOTHING_WRONG = [
    b'{"EVM":{"Trades":[]}}',
    b'{"EVM":{"Trades":[{"a":1}]}}',
    b'{"EVM":{"Trades":{"a":1}}}',
    b'{"EVM":{"Trades":null}}',
    b'{"EVM":{}}',
    b'{"EVM":{"type":"Block"}}',
    b'{"EVM": null }',
    b"null",
    b"{}",
]
ON_THE_WAY = [
    (b'{"EVM":[1]}', "data.EVM is a list"),
    (b'{"EVM":[{"Trades":[{"a":1}]}]}', "data.EVM is a list"),
    (b'{"EVM":"x"}', "data.EVM is a text"),
    (b'{"EVM":false}', "data.EVM is false"),
    (b"7", "data is a number"),
    (b"[]", "data is a list"),
    (b'"x"', "data is a text"),
    (b'{"Other":[1]}', "data has Other and no EVM"),
    (b'{"EVM":{"trades":[1]}}', "data.EVM has trades and no Trades"),
]
NO_ROWS = [
    (b'"none"', "data.EVM.Trades is a text"),
    (b"0", "data.EVM.Trades is a number"),
    (b"false", "data.EVM.Trades is false"),
    (b"{ }", "data.EVM.Trades is an empty object"),
]


def mistake(data: bytes, *, object_rows: bool = True) -> str:
    frame = b'{"type":"next","id":"1","payload":{"data":%s}}' % data
    return RowFinder(PATH, object_rows=object_rows).mistake_in(frame) or ""


@pytest.mark.parametrize("data", NOTHING_WRONG)
def test_what_a_server_may_send_is_no_mistake(data: bytes) -> None:
    assert mistake(data) == ""


@pytest.mark.parametrize(("data", "said"), ON_THE_WAY)
def test_what_no_server_may_put_on_the_way_to_the_rows_is_told(data: bytes, said: str) -> None:
    assert mistake(data).startswith(said)


@pytest.mark.parametrize(("value", "said"), NO_ROWS)
def test_what_is_no_row_where_fields_of_rows_are_selected_is_told(value: bytes, said: str) -> None:
    data = b'{"EVM":{"Trades":%s}}' % value
    assert RowFinder(PATH, object_rows=True).find_rows(data) is None
    assert mistake(data).startswith(said)
    found = RowFinder(PATH).find_rows(data)  # of a document that selects nothing of them
    assert isinstance(found, list)
    assert [bytes(row) for row in found] == [value]
    assert mistake(data, object_rows=False) == ""


REPEATED = [
    b'{"payload":{"data":{"EVM":{"Trades":[1]}}},"type":"next","payload":{"data":{"EVM":{"Trades":[2]}}}}',
    b'{"type":"next","payload":{"data":{"EVM":{"Trades":[1]}},"data":{"EVM":{"Trades":[2]}}}}',
    b'{"id":"1","type":"next","payload":{"data":{"EVM":{"Trades":[1]},"EVM":{"Trades":[2]}}}}',
    b'{"id":"1","type":"next","payload":{"data":{"EVM":{"Trades":[1],"Trades":[2]}}}}',
    b'{"id":"1","type":"next","payload":{"data":{"EVM":{"Trades":[1],"Trades":[]}}}}',
    b'{"id":"1","type":"next","payload":{"data":{"EVM":{"Trades":[],"Trades":[2]}}}}',
    b'{"id":"1","type":"next","payload":{"data":{"EVM":{"Trades":[1],"\\u0054rades":[2]}}}}',
    b'{"id": "1", "type": "next", "payload": {"data": {"EVM": {"Trades": [1], "Trades": [2]}}}}',
]


@pytest.mark.parametrize("frame", REPEATED)
def test_rows_under_a_key_that_comes_twice_are_told(frame: bytes) -> None:
    one = RowFinder(PATH)
    assert rows_in(frame, one) is None
    assert "times, and all but one would be lost" in (one.mistake_in(frame) or "")


@pytest.mark.parametrize(
    "rows", [b"", b"1", b'{"a":1}', b'{"Trades":[1],"EVM":{"Trades":2}},{"a":"\\u0054"}', b"1,2,3"]
)
@pytest.mark.parametrize("head", [b'"id":"1","type":"next"', b'"type":"data","id":"1"', b'"type":"next"'])
def test_a_compact_message_with_all_its_rows_is_not_looked_at_twice(rows: bytes, head: bytes) -> None:
    frame = b'{%s,"payload":{"data":{"EVM":{"Trades":[%s]}}}}' % (head, rows)
    found = rows_in(frame, RowFinder(PATH))
    assert found is not None
    assert b",".join(bytes(row) for row in found) == rows


def test_keys_that_come_twice_inside_a_row_are_the_rows_own() -> None:
    frame = b'{"type":"next","payload":{"extensions":{},"data":{"EVM":{"Trades":[{"Trades":1,"Trades":2}]}}}}'
    one = RowFinder(PATH, object_rows=True)
    assert one.mistake_in(frame) is None


INCREMENTAL = [
    b'{"incremental":[{"items":[{"a":1}],"path":["EVM","Trades",1]}],"hasNext":true}',
    b'{"data":{"EVM":{"Trades":[{"a":1}]}},"pending":[{"id":"0","path":[]}],"hasNext":true}',
    b'{"data":{"EVM":{"Trades":[{"a":1}]}},"incremental":[{"id":"0","items":[{"a":2}]}]}',
    b'{"data":{"b":1},"path":["EVM","Trades",0],"hasNext":true}',
    b'{"items":[{"a":1}],"path":["EVM","Trades",1]}',
]


@pytest.mark.parametrize("result", INCREMENTAL)
def test_incremental_delivery_is_told_and_does_not_fit(result: bytes) -> None:
    one = RowFinder(PATH)
    frame = message(result)
    assert "incrementally" in (one.mistake_in(frame) or "")
    try:
        found = rows_in(frame, one)
    except msgspec.ValidationError:
        found = None
    assert found is None


@pytest.mark.parametrize(
    "result", [b'{"hasNext":false}', b'{"data":{"EVM":{"Trades":[1]}},"hasNext":false}', b'{"extensions":{}}']
)
def test_the_end_of_incremental_delivery_loses_nothing(result: bytes) -> None:
    assert RowFinder(PATH).mistake_in(b'{"type":"next","payload":%s}' % result) is None


def test_a_result_of_other_parts_is_told() -> None:
    said = RowFinder(PATH).mistake_in(b'{"type":"next","payload":{"EVM":{"Trades":[1]}}}')
    assert said == "the result has EVM, and neither data nor errors"


@given(st.binary())
def test_no_bytes_make_looking_for_mistakes_fail(frame: bytes) -> None:
    RowFinder(PATH).mistake_in(frame)
