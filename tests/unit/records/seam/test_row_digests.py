"""What rows are compared by: the same as the window knows them by, nulls included."""

from __future__ import annotations

import json

import msgspec

from connector.records.identity import Identity
from connector.records.record_builder import RecordBuilder
from connector.records.record_spec import RecordSpec
from connector.records.seam.content import content_digest
from connector.records.seam.row_digests import RowDigests
from connector.records.topics import TopicTemplate
from tests.unit.records.outcomes import digests_in_order

IDENTITY = Identity(fields=(("a",), ("b", "c")))


def rows(*written: object) -> list[msgspec.Raw]:
    return [msgspec.Raw(json.dumps(one).encode()) for one in written]


def test_a_row_is_known_by_what_the_window_knows_it_by() -> None:
    wire = rows(
        {"a": 1, "b": {"c": "x"}}, {"a": None, "b": {"c": "x"}}, {"b": {"c": "x"}}, {"a": "", "b": None}
    )
    built = RecordBuilder(RecordSpec(topic=TopicTemplate("t", {}), identity=IDENTITY)).build(wire, [])
    matched, known = RowDigests(IDENTITY, unique=True).of(wire)
    assert matched is known
    assert known == digests_in_order(wire, built)
    assert known[1] == known[2]
    assert len(set(known)) == 3


def test_a_row_whose_identity_is_null_is_known_by_what_it_says() -> None:
    wire = rows({"a": None, "b": {"c": None}, "d": 1}, {"d": 1}, {"d": 2}, {"a": None, "b": None, "d": 1})
    _, known = RowDigests(IDENTITY, unique=True).of(wire)
    assert known == [content_digest(row) for row in wire]
    assert len(set(known)) == 4


def test_an_advisory_identity_matches_by_what_rows_say() -> None:
    wire = rows({"a": 1, "d": 1}, {"a": 1, "d": 2})
    matched, known = RowDigests(IDENTITY, unique=False).of(wire)
    assert matched == [content_digest(row) for row in wire]
    assert known[0] == known[1]
