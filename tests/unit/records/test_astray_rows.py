"""Rows whose paths lead through lists are bad rows; whatever else a row is, it is published."""

from __future__ import annotations

import msgspec
import pytest

from connector.records.bad import Stage
from connector.records.built import BuiltRecords
from connector.records.record_builder import RecordBuilder
from connector.records.record_spec import RecordSpec
from connector.records.topics import TopicTemplate

PRICE = ("Fills", "Price")
BY_PART = {
    Stage.KEY: RecordSpec(topic=TopicTemplate("t", {}), key=(PRICE,)),
    Stage.VALUE: RecordSpec(topic=TopicTemplate("t", {}), timestamp=PRICE),
    Stage.HEADER: RecordSpec(topic=TopicTemplate("t", {}), headers=(("price", PRICE),)),
    Stage.TOPIC: RecordSpec(topic=TopicTemplate("t.{Fills.Price}", {})),
}


def built(spec: RecordSpec, *rows: bytes) -> BuiltRecords:
    return RecordBuilder(spec).build([msgspec.Raw(row) for row in rows], [])


@pytest.mark.parametrize("stage", list(BY_PART))
@pytest.mark.parametrize("through", [b'[{"Price":1}]', b"[]", b"[[7]]"])
def test_a_path_that_leads_through_a_list_makes_a_bad_row(stage: Stage, through: bytes) -> None:
    row = b'{"Fills":%s}' % through
    found = built(BY_PART[stage], b'{"Fills":{"Price":"1"}}', row, b'{"Fills":{"Price":"2"}}')
    assert sum(map(len, found.topics.values())) == 2
    (bad,) = found.failed
    assert (bytes(bad.value), bad.stage) == (row, stage)
    assert str(bad.error) == "Fills.Price leads through Fills, which is a list"


@pytest.mark.parametrize(
    "row", [b"{}", b'{"Fills":null}', b'{"Fills":{}}', b'{"Fills":{"Price":null}}', b"null"]
)
def test_a_path_that_leads_to_nothing_makes_no_key(row: bytes) -> None:
    found = built(BY_PART[Stage.KEY], row)
    assert (len(found.topics["t"]), found.failed, found.keys_missing) == (1, [], 1)


@pytest.mark.parametrize("row", [b"7", b'"x"', b"null", b"[1]", b'[{"Fills":{"Price":"1"}}]', b"{}"])
@pytest.mark.parametrize("spec", [BY_PART[Stage.KEY], RecordSpec(topic=TopicTemplate("t", {}))])
def test_whatever_stands_in_the_list_of_rows_is_published(spec: RecordSpec, row: bytes) -> None:
    found = built(spec, row)
    assert ([bytes(value) for _, value, _, _ in found.topics["t"]], found.failed) == ([row], [])
    assert found.keys_missing == len(spec.key)
