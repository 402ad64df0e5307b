"""Results that have rows, but not where or as they should be, are told of: none is lost in silence."""

from __future__ import annotations

import pytest

from connector.records.row_finder import RowFinder
from tests.unit.records.results import rows_in

ROWS = RowFinder(("rows",), object_rows=True)

TWICE = [
    b'{"type":"next","payload":{"data":{"rows":[{"a":1}],"rows":[{"a":2}]}}}',
    b'{"type":"next","payload":{"data":{"rows":[1],"rows":[{"id":"1"}]}}}',
    b'{"type":"next","payload":{"data":{"rows":[1],"rows":[{"id":"1"},2]}}}',
    b'{"type":"next","payload":{"data":{"rows":[1],"rows":[2]}}}',
    b'{"type":"next","payload":{"data":{"rows":[1],"rows":[2]}},"id":"1"}',
    b'{"payload":{"data":{"rows":[{"id":"1"}],"rows":[2]}},"type":"next"}',
    b'{"id":1,"type":"next","payload":{"data":{"rows":[1],"rows":[2]}}}',
]


@pytest.mark.parametrize("frame", TWICE)
def test_rows_that_come_twice_are_told_whatever_id_the_message_has(frame: bytes) -> None:
    assert rows_in(frame, ROWS) is None
    assert "the key rows 2 times" in (ROWS.mistake_in(frame) or "")


@pytest.mark.parametrize("message", [b'"id":"1",%s', b'%s,"id":"1"', b"%s"])
def test_what_has_its_rows_once_is_not_looked_at_twice(message: bytes) -> None:
    frame = b"{%s}" % message % b'"type":"next","payload":{"data":{"rows":[{"rows":1,"id":"1"},{"rows":2}]}}'
    rows = rows_in(frame, ROWS)
    assert rows is not None
    assert [bytes(row) for row in rows] == [b'{"rows":1,"id":"1"}', b'{"rows":2}']


ASTRAY = [
    (b'{"errors":[],"result":{"rows":[{"a":1}]}}', "the result has result, and neither data nor errors"),
    (b'{"errors":null,"Data":{"rows":[{"a":1}]}}', "the result has Data, and neither data nor errors"),
    (b'{"errors":[ ],"Data":{}}', "the result has Data, and neither data nor errors"),
    (b'{"data":{"Rows":"x"}}', "data has Rows and no rows"),
    (b'{"data":{"rowz":5}}', "data has rowz and no rows"),
    (b'{"rowz":5}', "the result has rowz, and neither data nor errors"),
    (b'{"data":{"a":2},"label":"x"}', "the result is delivered incrementally (it has label)"),
    (b'{"completed":[{"errors":[{"message":"x"}]}]}', "the result is delivered incrementally"),
]


@pytest.mark.parametrize(("result", "said"), ASTRAY)
def test_what_stands_in_the_place_of_rows_is_told(result: bytes, said: str) -> None:
    frame = b'{"id":"1","type":"next","payload":%s}' % result
    assert (ROWS.mistake_in(frame) or "").startswith(said)


def test_a_name_that_is_spelled_alike_is_told_at_every_level() -> None:
    frame = b'{"type":"next","payload":{"data":{"EVM":{"trades":7}}}}'
    assert RowFinder(("EVM", "Trades")).mistake_in(frame) == "data.EVM has trades and no Trades"


@pytest.mark.parametrize(
    "result",
    [
        b'{"errors":[{"message":"x"}],"other":1}',
        b'{"data":{"__typename":"Subscription"}}',
        b'{"data":{"Rows":null}}',
        b"{}",
        b'{"extensions":{}}',
    ],
)
def test_what_has_nothing_that_could_be_rows_is_no_mistake(result: bytes) -> None:
    assert ROWS.mistake_in(b'{"id":"1","type":"next","payload":%s}' % result) is None
