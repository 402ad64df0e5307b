"""The bytes of keys."""

import msgspec
import pytest

from connector.records.fields import Fields, Path
from connector.records.keys import compile_key

A, B, C = ("a",), ("b", "c"), ("d",)


def key(paths: list[Path], row: bytes) -> bytes | None:
    fields = Fields(paths)
    make = compile_key(fields, paths)
    return make(msgspec.json.decode(row, type=fields.item_type))


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (b'{"a":"0xabc"}', b"0xabc"),
        (b'{"a":""}', b""),
        ('{"a":"é€😀"}'.encode(), "é€😀".encode()),
        (b'{"a":"\\u00e9\\ud83d\\ude00"}', "é😀".encode()),
        (b'{"a":"a\\"b\\\\c\\/d\\n"}', b'a"b\\c/d\n'),
        (b'{"a":1}', b"1"),
        (b'{"a":-0}', b"-0"),
        (b'{"a":1.50}', b"1.50"),
        (b'{"a":1E+2}', b"1E+2"),
        (b'{"a":1e400}', b"1e400"),
        (b'{"a":12345678901234567890}', b"12345678901234567890"),
        (b'{"a":true}', b"true"),
        (b'{"a":{"x" : 1.50, "y":[ 1 ,2 ]}}', b'{"x":1.50,"y":[1,2]}'),
        (b'{"a":[ ]}', b"[]"),
        (b'{"a":null}', None),
        (b"{}", None),
    ],
)
def test_one_path(row: bytes, expected: bytes | None) -> None:
    assert key([A], row) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (b'{"a":"x","b":{"c":1.50},"d":{"e" : 1}}', b'["x",1.50,{"e":1}]'),
        (
            b'{"a":"\\u00e9","b":{"c":1e400},"d":12345678901234567890}',
            b'["\\u00e9",1e400,12345678901234567890]',
        ),
        (b'{"a":"x","b":null}', b'["x",null,null]'),
        (b'{"b":{"c":false}}', b"[null,false,null]"),
        (b'{"a":""}', b'["",null,null]'),
        (b'{"a":null,"b":{},"d":null}', None),
        (b"{}", None),
    ],
)
def test_several_paths(row: bytes, expected: bytes | None) -> None:
    assert key([A, B, C], row) == expected


def test_the_order_is_that_of_the_paths() -> None:
    assert key([C, A], b'{"a":1,"d":2}') == b"[2,1]"


def test_without_paths_there_is_no_key() -> None:
    assert key([], b'{"a":1}') is None
