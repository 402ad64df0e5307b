"""Digests of rows: the same by either way through the rows, and however a row is written."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.records.extract import Extractor
from connector.records.identity import digest
from connector.records.topics import TopicTemplate

IDENTITY = (("Transaction", "Hash"), ("Log", "Index"))


def extractor(*, topic: str = "t", identity: tuple[tuple[str, ...], ...] = IDENTITY) -> Extractor:
    """With a topic that depends on the row, every row goes the general way."""
    template = TopicTemplate(topic, {})
    return Extractor(rows=("rows",), key=(), timestamp=None, headers=(), topic=template, identity=identity)


def digests(one: Extractor, *rows: bytes) -> list[int | None]:
    return one.extract([msgspec.Raw(row) for row in rows], []).digests


def row(hash_: Any, index: Any) -> bytes:
    return json.dumps({"Transaction": {"Hash": hash_}, "Log": {"Index": index}, "n": "a"}).encode()


def test_the_digest_is_xxh3_of_the_fields_texts() -> None:
    # Kept from one version of the connector to the next, so it may not change.
    assert digest(b"") == 0x2D06800538D394C2  # the reference implementation's value
    assert digests(extractor(), row("0xab", 12)) == [digest(b"0xab\x0012")]
    assert digests(extractor(identity=IDENTITY[:1]), row("0xab", 12)) == [digest(b"0xab")]


def test_without_an_identity_there_are_none() -> None:
    assert digests(extractor(identity=()), row("0xab", 12)) == []


def test_order_of_fields_and_their_borders_count() -> None:
    found = digests(
        extractor(), row("a", "bc"), row("ab", "c"), row("bc", "a"), row("a", None), row(None, "a")
    )
    assert len(set(found)) == 5


@pytest.mark.parametrize("topic", ["t", "{n}"])
def test_how_a_row_is_written_does_not_count(topic: str) -> None:
    plain = b'{"Transaction":{"Hash":"0x/\xc3\xa4"},"Log":{"Index":1},"n":"a"}'
    other = b'{ "n":"a","Log" : {"Index" :1}, "Transaction":{"Hash":"\\u0030x\\/\\u00e4"} }'
    found = digests(extractor(topic=topic), plain, other)
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
    found = digests(extractor(topic=topic), *rows)
    known = [digest(b"a\x001"), None, None, None, digest(b"b\x00"), None, digest(b"c\x002")]
    assert found == known


@given(st.lists(st.tuples(st.text() | st.integers() | st.none(), st.integers() | st.text()), max_size=8))
def test_both_ways_agree(fields: list[tuple[Any, Any]]) -> None:
    rows = [row(*pair) for pair in fields]
    assert digests(extractor(), *rows) == digests(extractor(topic="{n}"), *rows)
