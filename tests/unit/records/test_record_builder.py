"""Rows → records: values stay the bytes that came, and no JSON makes it fail."""

import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.records.built import BuiltRecords
from connector.records.fields import Path
from connector.records.record import EVENT_TIME_HEADER, SourceRecord
from connector.records.record_builder import RecordBuilder
from connector.records.record_spec import RecordSpec
from connector.records.topics import TopicTemplate

HEADERS = [("connector", b"c")]


def builder(
    *,
    key: tuple[Path, ...] = (("Tx", "Hash"),),
    timestamp: Path | None = ("Block", "Time"),
    headers: tuple[tuple[str, Path], ...] = (),
    topic: str = "t",
) -> RecordBuilder:
    return RecordBuilder(
        RecordSpec(topic=TopicTemplate(topic, {}), key=key, timestamp=timestamp, headers=headers)
    )


def build(one: RecordBuilder, *rows: bytes) -> BuiltRecords:
    return one.build([msgspec.Raw(row) for row in rows], HEADERS)


def only(built: BuiltRecords) -> SourceRecord:
    ((row,),) = built.topics.values()
    assert not built.failed
    return row


def test_a_record_is_made_of_the_named_fields() -> None:
    row = b'{"Tx":{"Hash":"0xa","Index":"3"},"Block":{"Time":"2026-02-19T11:25:05Z"},"Amount":1.50}'
    one = builder(headers=(("index", ("Tx", "Index")), ("amount", ("Amount",)), ("none", ("None",))))
    key, value, moment, headers = only(build(one, row))
    assert (key, bytes(value), moment) == (b"0xa", row, 1_771_500_305_000)
    assert headers == [("connector", b"c"), ("index", b"3"), ("amount", b"1.50"), ("none", b"")]


def test_without_fields_nothing_is_decoded() -> None:
    one = builder(key=(), timestamp=None)
    built = build(one, b"{ broken", b"\xff")
    assert [bytes(value) for _, value, _, _ in built.topics["t"]] == [b"{ broken", b"\xff"]
    assert (built.keys_missing, built.times_missing) == (0, 0)


def test_rows_share_headers_that_nobody_changed() -> None:
    one = builder(headers=(("h", ("Tx", "Hash")),))
    build(one, b'{"Tx":{"Hash":"1"},"Block":{"Time":"junk"}}', b"{}")
    assert HEADERS == [("connector", b"c")]


def test_what_is_missing_is_counted() -> None:
    built = build(builder(), b"{}", b"null", b'{"Tx":{"Hash":"1"},"Block":{"Time":0}}')
    assert (built.keys_missing, built.times_missing) == (2, 2)
    assert [key for key, _, _, _ in built.topics["t"]] == [None, None, b"1"]


def test_a_time_that_is_none_goes_into_a_header() -> None:
    _, _, moment, headers = only(build(builder(), b'{"Block":{"Time":"long ago"}}'))
    assert moment is None
    assert headers == [*HEADERS, (EVENT_TIME_HEADER, b'"long ago"')]


@pytest.mark.parametrize(
    ("row", "key"),
    [
        (b"null", None),
        (b"7", None),
        (b'"x"', None),
        (b'[{"Tx":{"Hash":"1"}}]', None),
        (b'{"Tx":"x"}', None),
        (b'{"Tx":{"Hash":1.50},"Block":7}', b"1.50"),
        (b'{"Tx":{"Hash":1e400},"Block":7}', b"1e400"),
        (b'{"Tx":{"Hash":12345678901234567890},"Block":7}', b"12345678901234567890"),
        (b'{"Tx":{"Hash":{"b" : 1.0, "a":2}},"Block":7}', b'{"b":1.0,"a":2}'),
        (b'{"Tx":{"Hash":null},"Block":7}', None),
        (b'{"Tx":null,"Block":7}', None),
        (b'{"\\u0054x":{"Hash":"1"},"Block":7}', b"1"),
    ],
)
def test_a_row_of_another_shape_is_a_record_with_what_fits(row: bytes, key: bytes | None) -> None:
    found, value, _, _ = only(build(builder(), row))
    assert (found, bytes(value)) == (key, row)


def test_a_row_goes_to_the_topic_of_its_fields() -> None:
    built = build(builder(topic="t.{side}"), b'{"side":"a"}', b'{"side":"b"}', b'{"side":"a","n":2}')
    found = {name: [bytes(value) for _, value, _, _ in rows] for name, rows in built.topics.items()}
    assert found == {"t.a": [b'{"side":"a"}', b'{"side":"a","n":2}'], "t.b": [b'{"side":"b"}']}


def test_a_row_that_cannot_be_a_record_is_told_and_the_others_are_records() -> None:
    rows = [b'{"side":"a"}', b'{"side":"a/b"}', b'{"side":"a","Tx":{"Hash":"\\n\xff"}}', b'{"side":"c"}']
    built = build(builder(topic="t.{side}"), *rows)
    assert list(built.topics) == ["t.a", "t.c"]
    assert [bytes(record.value) for record in built.failed] == rows[1:3]


# Any JSON

NAMES = st.sampled_from(["Tx", "Hash", "Block", "Time", "side", "x"])
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)
SPACES = st.sampled_from([(",", ":"), (" , ", " : "), (",\n", ":\t")])


@given(st.lists(st.tuples(JSON, SPACES, st.booleans()), max_size=5), st.sampled_from(["t", "t.{side}"]))
def test_no_json_makes_it_fail_or_changes_a_byte(rows: list[tuple[Any, Any, bool]], topic: str) -> None:
    one = builder(
        key=(("Tx", "Hash"), ("side",)),
        headers=(("x", ("x",)), ("h", ("Tx", "x"))),
        topic=topic,
    )
    wire = [
        json.dumps(row, separators=s, ensure_ascii=e).encode("utf-8", "surrogatepass") for row, s, e in rows
    ]
    built = build(one, *wire)
    published = [bytes(value) for records in built.topics.values() for _, value, _, _ in records]
    assert sorted([*published, *(bytes(record.value) for record in built.failed)]) == sorted(wire)
    if topic == "t":
        assert [row for row in wire if row in published] == published
    for records in built.topics.values():
        for key, _, moment, _ in records:
            assert key is None or re.match(rb"\[.*,.*\]$", key, re.DOTALL)
            assert moment is None or moment >= 0


@given(st.lists(st.binary(), max_size=5))
def test_no_bytes_make_it_fail(rows: list[bytes]) -> None:
    built = build(builder(topic="t.{side}", headers=(("x", ("x",)),)), *rows)
    assert sum(map(len, built.topics.values())) + len(built.failed) == len(rows)


TEXTS = st.text(max_size=8) | st.integers() | st.none() | st.text("ab01", min_size=1, max_size=3)
ORDINARY = st.fixed_dictionaries(
    {
        "Tx": st.fixed_dictionaries({"Hash": TEXTS, "x": TEXTS}),
        "Block": st.fixed_dictionaries({"Time": st.sampled_from(["2026-01-01T00:00:00Z", "junk", 7, None])}),
        "side": TEXTS,
        "x": TEXTS,
    }
)


@given(
    st.lists(ORDINARY | st.dictionaries(NAMES, JSON, max_size=6), max_size=5),
    st.sampled_from([1, 2]),
    st.booleans(),
)
def test_the_compiled_loop_makes_the_records_that_the_general_way_makes(
    rows: list[dict[str, Any]], key_parts: int, with_time: bool
) -> None:
    wire = [json.dumps({**row, "topic": "s"}).encode() for row in rows]
    options: dict[str, Any] = {
        "key": (("Tx", "Hash"), ("side",))[:key_parts],
        "timestamp": ("Block", "Time") if with_time else None,
        "headers": (("x", ("x",)), ("h", ("Tx", "x"))),
    }
    looped, general = builder(topic="t.s", **options), builder(topic="t.{topic}", **options)
    for _ in range(2):  # the second time the event times are known
        one, other = build(looped, *wire), build(general, *wire)
        assert one.topics.get("t.s", []) == other.topics.get("t.s", [])
        assert [bytes(bad.value) for bad in one.failed] == [bytes(bad.value) for bad in other.failed]
        assert (one.keys_missing, one.times_missing) == (other.keys_missing, other.times_missing)


def test_the_loop_is_compiled_anew_once_for_a_field_that_is_no_string() -> None:
    one = builder(topic="t.s", key=(("Tx", "Hash"),), timestamp=None, headers=())
    loops = []
    for number in range(3):
        built = build(one, json.dumps({"Tx": {"Hash": number}}).encode())
        assert [row[0] for row in built.topics["t.s"]] == [b"%d" % number]
        loops.append(one._loop)
    assert loops[0] is loops[1] is loops[2]
