"""A row, its digest and its record stay together, whatever becomes of the row."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.records.bad import Stage, Unconvertible
from connector.records.built import BuiltRecords
from connector.records.converter import Converter, RawJson
from connector.records.identity import DIGESTS, Bits, Identity
from connector.records.record import Value
from connector.records.record_builder import RecordBuilder
from connector.records.record_spec import RecordSpec
from connector.records.topics import TopicTemplate
from tests.unit.records.outcomes import Outcome, outcomes

TOPICS = ["t", "t.{side}"]
"""With the second one every row goes the general way."""

NO_TEXT = "no text"
"""Stands for bytes that are no UTF-8, which no header is made of."""


@dataclass
class Repeats:
    """A judge that wants each digest once."""

    asked: list[int] = field(default_factory=list)

    def __call__(self, digest: int, row: msgspec.Raw) -> bool:
        self.asked.append(digest)
        return digest not in self.asked[:-1]


class Picky:
    """Takes no row with ``bad``, and widens the others."""

    def __init__(self) -> None:
        self.called: list[str] = []

    def convert(self, topic: str, row: Value) -> Value:
        self.called.append(topic)
        if b'"bad": true' in bytes(row):
            raise Unconvertible("the schema has no such field", Stage.VALUE)
        return b" " + bytes(row)


def builder(topic: str, *, bits: Bits = 128, converter: Converter | None = None) -> RecordBuilder:
    return RecordBuilder(
        RecordSpec(
            topic=TopicTemplate(topic, {}),
            key=(("id",),),
            headers=(("h", ("h",)),),
            identity=Identity(fields=(("id",),), bits=bits),
            converter=converter or RawJson(),
        )
    )


def wire(number: int, row: dict[str, Any]) -> msgspec.Raw:
    text = json.dumps({"n": number, "side": "a", **row}).encode()
    return msgspec.Raw(text.replace(NO_TEXT.encode(), b"\\n\xff"))


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from(["1", "2", "3", "4", 7, None]),
            "h": st.sampled_from(["x", "y", 1, None, NO_TEXT]),
            "side": st.sampled_from(["a", "b"]),
        },
        optional={"bad": st.booleans()},
    ),
    max_size=12,
)


def expected(rows: list[dict[str, Any]], bits: Bits, *, converts: bool, judged: bool) -> list[Outcome]:
    """What becomes of ``rows``, worked out the simple way."""
    seen: set[int | None] = set()
    found: list[Outcome] = []
    for row in rows:
        known = None if row["id"] is None else DIGESTS[bits](str(row["id"]).encode())
        if judged and known is not None and known in seen:
            found.append(("refused", known))
            continue
        seen.add(known)
        is_bad = row["h"] == NO_TEXT or (converts and row.get("bad", False))
        found.append(("failed" if is_bad else "record", known))
    return found


@given(ROWS, st.sampled_from(TOPICS), st.sampled_from([64, 128]), st.booleans(), st.booleans())
def test_every_row_is_a_record_or_failed_or_refused_with_its_own_digest(
    rows: list[dict[str, Any]], topic: str, bits: Bits, converts: bool, judged: bool
) -> None:
    one = builder(topic, bits=bits, converter=Picky() if converts else None)
    wanted = expected(rows, bits, converts=converts, judged=judged)
    for _ in range(2):  # the second time it is known what is no string
        judge = Repeats() if judged else None
        built = one.build([wire(number, row) for number, row in enumerate(rows)], [], judge)
        groups = outcomes(built)
        for group in groups:
            assert list(group) == sorted(group)
        assert sum(map(len, groups)) == len(rows)
        merged = {number: outcome for group in groups for number, outcome in group.items()}
        assert [merged[number] for number in range(len(rows))] == wanted
        if judge is not None:  # once for each row, in their order
            assert judge.asked == [known for _, known in wanted if known is not None]


@pytest.mark.parametrize("topic", TOPICS)
def test_a_refused_row_leaves_no_digest_behind(topic: str) -> None:
    rows = [wire(0, {"id": "1", "h": "x"}), wire(1, {"id": "2", "h": "x"})]
    built = builder(topic).build(rows, [], lambda digest, row: False)
    assert [row for row, _ in built.refused] == rows
    assert not any(built.topics.values())
    assert not any(built.digests.values())
    assert not built.failed


@pytest.mark.parametrize("topic", TOPICS)
def test_a_refused_row_is_not_converted(topic: str) -> None:
    picky = Picky()
    one = builder(topic, converter=picky)
    assert (
        one.build([wire(0, {"id": "1", "h": "x", "bad": True})], [], lambda digest, row: False).failed == []
    )
    assert picky.called == []


def test_without_an_identity_nobody_is_asked() -> None:
    one = RecordBuilder(RecordSpec(topic=TopicTemplate("t", {}), key=(("id",),)))
    built = one.build([wire(0, {"id": "1"}), wire(1, {"id": "1"})], [], lambda digest, row: False)
    assert len(built.topics["t"]) == 2


# Converters


def converted(topic: str, *rows: dict[str, Any]) -> tuple[BuiltRecords, Picky]:
    picky = Picky()
    one = builder(topic, converter=picky)
    return one.build([wire(number, row) for number, row in enumerate(rows)], [("c", b"1")]), picky


@pytest.mark.parametrize("topic", TOPICS)
def test_a_value_is_what_the_converter_makes_of_the_row(topic: str) -> None:
    built, picky = converted(topic, {"id": "1", "h": "x"})
    ((record,),) = built.topics.values()
    name = topic.format(side="a")
    assert record == (
        b"1",
        b" " + bytes(wire(0, {"id": "1", "h": "x"})),
        None,
        [("c", b"1"), ("h", b"x")],
    )
    assert picky.called == [name]
    assert list(built.topics) == [name]


@pytest.mark.parametrize("topic", TOPICS)
def test_what_a_converter_does_not_take_is_a_bad_record_at_its_stage(topic: str) -> None:
    built, picky = converted(
        topic, {"id": "1", "h": "x"}, {"id": "2", "h": "y", "bad": True}, {"id": "3", "h": "z"}
    )
    (bad,) = built.failed
    assert (bad.stage, bad.stage.value, bad.executing_class) == (Stage.VALUE, "VALUE_CONVERTER", Picky)
    assert bad.value == wire(1, {"id": "2", "h": "y", "bad": True})
    assert (bad.key, bad.topic, bad.headers) == (b"2", topic.format(side="a"), [("c", b"1"), ("h", b"y")])
    assert bad.digest == DIGESTS[128](b"2")
    assert [record[0] for records in built.topics.values() for record in records] == [b"1", b"3"]
    assert len(picky.called) == 3


@pytest.mark.parametrize("topic", TOPICS)
def test_raw_json_is_the_very_slice_that_came(topic: str) -> None:
    row = wire(0, {"id": "1", "h": "x"})
    ((record,),) = builder(topic).build([row], []).topics.values()
    assert record[1] is row
    assert RawJson().convert("t", row) is row
