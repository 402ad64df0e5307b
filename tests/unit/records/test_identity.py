"""Digests of rows: the same by either way through the rows, and however a row is written."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.records.identity import DIGESTS, Bits, Identity
from connector.records.record_builder import RecordBuilder
from connector.records.record_spec import RecordSpec
from connector.records.topics import TopicTemplate
from tests.unit.records.outcomes import digests_in_order

PATHS = (("Transaction", "Hash"), ("Log", "Index"))
XXH3_64, XXH3_128 = DIGESTS[64], DIGESTS[128]


def builder(
    *, topic: str = "t", paths: tuple[tuple[str, ...], ...] = PATHS, bits: Bits = 64
) -> RecordBuilder:
    """With a topic that depends on the row, every row goes the general way."""
    identity = Identity(fields=paths, bits=bits)
    return RecordBuilder(RecordSpec(topic=TopicTemplate(topic, {}), identity=identity))


def digests(one: RecordBuilder, *rows: bytes) -> list[int | None]:
    wire = [msgspec.Raw(row) for row in rows]
    return digests_in_order(wire, one.build(wire, []))


def digests_of(one: RecordBuilder, *rows: bytes) -> dict[str, list[int | None]]:
    return one.build([msgspec.Raw(row) for row in rows], []).digests


def row(hash_: Any, index: Any) -> bytes:
    return json.dumps({"Transaction": {"Hash": hash_}, "Log": {"Index": index}, "n": "a"}).encode()


def test_the_digest_is_xxh3_of_the_fields_texts() -> None:
    # Kept from one version of the connector to the next, so it may not change: the reference's values.
    assert XXH3_64(b"") == 0x2D06800538D394C2
    assert XXH3_128(b"") == 0x99AA06D3014798D86001C324468D497F
    assert digests(builder(), row("0xab", 12)) == [XXH3_64(b"0xab\x0012")]
    assert digests(builder(paths=PATHS[:1]), row("0xab", 12)) == [XXH3_64(b"0xab")]


def test_digests_are_128_bits_wide_unless_told_otherwise() -> None:
    assert Identity(fields=PATHS).bits == 128


@pytest.mark.parametrize("topic", ["t", "{n}"])
def test_their_width_is_a_choice(topic: str) -> None:
    assert digests(builder(topic=topic, bits=64), row("a", 1)) == [XXH3_64(b"a\x001")]
    assert digests(builder(topic=topic, bits=128), row("a", 1)) == [XXH3_128(b"a\x001")]


@pytest.mark.parametrize("topic", ["t", "{n}"])
def test_without_an_identity_there_are_none(topic: str) -> None:
    plain = RecordBuilder(RecordSpec(topic=TopicTemplate(topic, {})))
    assert digests_of(plain, row("0xab", 12)) == {}


def test_order_of_fields_and_their_borders_count() -> None:
    found = digests(builder(), row("a", "bc"), row("ab", "c"), row("bc", "a"), row("a", None), row(None, "a"))
    assert len(set(found)) == 5


@pytest.mark.parametrize("topic", ["t", "{n}"])
def test_how_a_row_is_written_does_not_count(topic: str) -> None:
    plain = b'{"Transaction":{"Hash":"0x/\xc3\xa4"},"Log":{"Index":1},"n":"a"}'
    other = b'{ "n":"a","Log" : {"Index" :1}, "Transaction":{"Hash":"\\u0030x\\/\\u00e4"} }'
    found = digests(builder(topic=topic), plain, other)
    assert found[0] == found[1] != None  # noqa: E711


@pytest.mark.parametrize("topic", ["t", "{n}"])
def test_every_row_has_its_place_among_the_digests(topic: str) -> None:
    rows = [
        row("a", 1),
        row(None, None),
        b"null",
        b"7",
        row("b", None),
        b'{"Log":{"Index":"\xff"}}',
        row("c", 2),
    ]
    found = digests(builder(topic=topic), *rows)
    known = [XXH3_64(b"a\x001"), None, None, None, XXH3_64(b"b\x00\xff"), None, XXH3_64(b"c\x002")]
    assert found == known


@pytest.mark.parametrize("topic", ["t", "{n}"])
def test_null_is_a_value_beside_another_field_and_none_alone(topic: str) -> None:
    one = builder(topic=topic)
    absent, null = b'{"Log":{"Index":1},"n":"a"}', row(None, 1)
    found = digests(
        one, null, absent, b'{"Transaction":null,"Log":{"Index":1},"n":"a"}', row("", 1), row("null", 1)
    )
    assert None not in found
    assert found[0] == found[1] == found[2]
    assert len(set(found)) == 3  # a text that is empty is another value


@pytest.mark.parametrize("topic", ["t", "{n}"])
def test_rows_without_an_identity_are_counted_and_published(topic: str) -> None:
    rows = [msgspec.Raw(one) for one in (row(None, None), row("a", None), b'{"n":"a"}', row("a", 1))]
    for admits in (None, lambda digest, raw: False):
        built = builder(topic=topic).build(rows, [], admits)
        published = sum(map(len, built.topics.values()))
        assert (built.identities_missing, published) == (2, 4 if admits is None else 2)


@given(st.lists(st.tuples(st.text() | st.integers() | st.none(), st.integers() | st.text()), max_size=8))
def test_both_ways_agree(fields: list[tuple[Any, Any]]) -> None:
    rows = [row(*pair) for pair in fields]
    assert digests(builder(), *rows) == digests(builder(topic="{n}"), *rows)


TOKENS = [
    "1",
    "0",
    "-0",
    "-7",
    "1.0",
    "1e2",
    "123456789012345678901234567890",
    '"1"',
    '"-0"',
    "null",
    "true",
    "{}",
]


@example([("1", "1"), ("-0", "1"), ("1", "1.0"), ("1", "1")])
@given(st.lists(st.tuples(st.sampled_from(TOKENS), st.sampled_from(TOKENS)), max_size=12))
def test_both_ways_agree_whatever_kinds_follow_one_another(tokens: list[tuple[str, str]]) -> None:
    rows = [
        f'{{"Transaction":{{"Hash":{one}}},"Log":{{"Index":{other}}},"n":"a"}}'.encode()
        for one, other in tokens
    ]
    one, general = builder(), builder(topic="{n}")
    for row in rows:  # what is learnt of a frame is used for the next one
        assert digests(one, row) == digests(general, row)


@pytest.mark.parametrize("key", [(), (("Transaction", "Hash"),), (("Log", "Index"),), PATHS])
def test_nor_does_it_matter_what_else_a_field_is_used_for(key: tuple[tuple[str, ...], ...]) -> None:
    spec = RecordSpec(
        topic=TopicTemplate("t", {}),
        key=key,
        headers=(("index", PATHS[1]),),
        identity=Identity(fields=PATHS, bits=64),
    )
    one = RecordBuilder(spec)
    for index in (10**15, 10**15, 2, "3", 4):
        assert digests(one, row("0xab", index)) == [XXH3_64(f"0xab\x00{index}".encode())]
