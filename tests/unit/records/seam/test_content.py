"""What a row says is the same however it is written."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.records.seam.content import canonical, content_digest

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def raw(text: str | bytes) -> msgspec.Raw:
    return msgspec.Raw(text.encode() if isinstance(text, str) else text)


@given(st.dictionaries(st.text(), values, max_size=4))
def test_spaces_and_escapes_do_not_count(value: dict[str, Any]) -> None:
    plain = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    for text in (json.dumps(value), json.dumps(value, indent=2, ensure_ascii=False), plain):
        assert canonical(raw(text)) == canonical(raw(plain.replace("/", "\\/")))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a":1.50}', '{"a":1.5}'),
        ('{"a":"1"}', '{"a":1}'),
        ('{"a":" x"}', '{"a":"x"}'),
        ('{"a":1,"b":2}', '{"b":2,"a":1}'),
        ('{"a":12345678901234567890123}', '{"a":12345678901234567890124}'),
        ('{"a":"\\\\u0041"}', '{"a":"A"}'),
    ],
)
def test_everything_else_does(one: str, other: str) -> None:
    assert content_digest(raw(one)) != content_digest(raw(other))


def test_escapes_are_resolved_and_numbers_left() -> None:
    text = r'{ "a\u002fb" : "\u00e4\"\\\/\n", "n": 1.50, "m": 12345678901234567890123 }'
    expected = '{"a/b":"ä\\"\\\\/\\n","n":1.50,"m":12345678901234567890123}'
    assert canonical(raw(text)) == expected.encode()


@pytest.mark.parametrize("text", [b'{"a":"\\ud800"}', b'{"a":"\xff\\n"}', b"{ broken \\", b"[" * 100_000])
def test_what_is_no_json_stays_as_it_is(text: bytes) -> None:
    assert canonical(raw(text)) == text
