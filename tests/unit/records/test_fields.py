"""Only the named fields are decoded; what they hold stays the bytes that came."""

from typing import Any

import msgspec
import pytest

from connector.records.fields import Fields, Path, payload_type, text_of


def read(path: Path, row: bytes, *others: Path) -> bytes:
    fields = Fields([*others, path])
    return fields.getter(path)(msgspec.json.decode(row, type=fields.item_type))


@pytest.mark.parametrize(
    ("path", "row", "expected"),
    [
        (("a",), b'{"a":"x"}', b'"x"'),
        (("a",), b'{"a": 1.50 }', b"1.50"),
        (("a",), b'{"a":1e400}', b"1e400"),
        (("a",), b'{"a":12345678901234567890}', b"12345678901234567890"),
        (("a",), b'{"a":{"b" : [1 , 2]}}', b'{"b" : [1 , 2]}'),
        (("a",), b'{"a":null}', b""),
        (("a",), b"{}", b""),
        (("a",), b'{"a":""}', b'""'),
        (("a",), b'{"a":false}', b"false"),
        (("a",), b'{"a":1,"a":2}', b"2"),
        (("a",), b'{"\\u0061":1}', b"1"),
        (("a", "b"), b'{"a":{"b":1}}', b"1"),
        (("a", "b"), b'{"a":null}', b""),
        (("a", "b"), b"{}", b""),
        (("a", "b"), b'{"a":{}}', b""),
        (("a", "b", "c"), b'{"a":{"b":null}}', b""),
        (("class", "from"), b'{"class":{"from":1}}', b"1"),
        (("__typename",), b'{"__typename":"T"}', b'"T"'),
        (("_", "__"), b'{"_":{"__":1}}', b"1"),
        (("f0",), b'{"f0":1,"f1":2}', b"1"),
        (("type", "tag"), b'{"type":{"tag":1}}', b"1"),
        (("__init__",), b'{"__init__":1}', b"1"),
    ],
)
def test_a_field_is_read_as_it_was_on_the_wire(path: Path, row: bytes, expected: bytes) -> None:
    assert read(path, row) == expected


def test_paths_share_their_parents() -> None:
    row = b'{"Block":{"Time":"t","Number":"7"},"Transaction":{"Hash":"h"}}'
    paths = [("Block", "Number"), ("Transaction", "Hash"), ("Block", "Time")]
    fields = Fields(paths)
    item: Any = msgspec.json.decode(row, type=fields.item_type)
    assert [fields.getter(path)(item) for path in paths] == [b'"7"', b'"h"', b'"t"']


def test_what_is_not_named_is_not_decoded() -> None:
    assert read(("a",), b'{"b":"\xff","a":1,"c":1e999}') == b"1"


@pytest.mark.parametrize("rows", [("a",), ("EVM", "DEXTrades"), ("class", "_", "f0"), ("data", "errors")])
def test_a_result_holds_its_rows_at_any_depth(rows: Path) -> None:
    inner = b"[1, 2.50]"
    for name in reversed(rows):
        inner = b'{"%s":%s}' % (name.encode(), inner)
    node: Any = msgspec.json.decode(b'{"data":%s}' % inner, type=payload_type(rows)).data
    for _ in rows:
        node = node.f0
    assert [bytes(row) for row in node] == [b"1", b"2.50"]


def test_text_of_a_string_has_no_quotes_and_no_escapes() -> None:
    assert text_of(b'"a\\u00e9\\n"') == "aé\n"
    assert text_of('"é"'.encode()) == "é"
    assert text_of(b"1.50") == "1.50"
