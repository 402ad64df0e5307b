"""Objects with very many keys, which take little on the wire: looking through them takes little, too."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator

import msgspec
import pytest

from connector.records.fields import Fields
from connector.records.malformed import MOST_KEYS
from connector.records.row_finder import RowFinder

MANY = 20_000
SAME = b'"":0,' * MANY
DISTINCT = b"".join(b'"%x":0,' % number for number in range(MANY))
LONG = b'"%s":0,' % ("\U0001f600" + "y" * 2_000_000).encode()
ROWS = RowFinder(("rows",), object_rows=True)

TOO_MANY = [
    ("the message", b'{"type":"next",%s"payload":{"data":{"rows":null}}}'),
    ("the result", b'{"type":"next","payload":{%s"data":{"rows":null}}}'),
    ("data", b'{"type":"next","payload":{"data":{%s"rows":null}}}'),
]


@pytest.fixture(autouse=True)
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def peak_of(work: Callable[[], object]) -> int:
    """Bytes that ``work`` took at a time."""
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    work()
    return tracemalloc.get_traced_memory()[1] - before


@pytest.mark.parametrize(("place", "frame"), TOO_MANY)
@pytest.mark.parametrize("keys", [SAME, DISTINCT])
def test_more_keys_than_can_be_looked_through_are_told_after_a_few(
    place: str, frame: bytes, keys: bytes
) -> None:
    frame = frame % keys
    said: list[str | None] = []
    assert peak_of(lambda: said.append(ROWS.mistake_in(frame))) < 3_000_000
    assert said == [f"{place} has too many keys, or too long ones, to be looked through"]


@pytest.mark.parametrize(("place", "frame"), TOO_MANY)
def test_a_key_of_megabytes_is_many(place: str, frame: bytes) -> None:
    assert (ROWS.mistake_in(frame % LONG) or "").startswith(f"{place} has too many keys")


@pytest.mark.parametrize(("place", "frame"), TOO_MANY)
def test_hundreds_of_keys_are_no_mistake(place: str, frame: bytes) -> None:
    assert ROWS.mistake_in(frame % b"".join(b'"k%x":0,' % number for number in range(MOST_KEYS // 2))) is None


@pytest.mark.parametrize("keys", [DISTINCT, SAME, LONG])
def test_rows_beside_many_keys_are_found_and_the_keys_are_skipped(keys: bytes) -> None:
    data = b'{%s"rows":[{"a":1}]}' % keys
    found: list[object] = []
    assert peak_of(lambda: found.append(ROWS.find_rows(data))) < 100_000
    assert found == [[msgspec.Raw(b'{"a":1}')]]
    assert not ROWS.may_repeat(data)


@pytest.mark.parametrize("keys", [DISTINCT, SAME, LONG])
def test_a_field_of_another_type_in_a_row_of_many_keys_is_read_without_them(keys: bytes) -> None:
    fields = Fields([("a", "b"), ("c",)])
    row = msgspec.Raw(b'{"a":5,%s"c":"x"}' % keys)
    items: list[object] = []
    fields.read(msgspec.Raw(b'{"a":5}'))
    assert peak_of(lambda: items.append(fields.read(row)[0])) < 100_000
    assert fields.getter(("c",))(items[0]) == b'"x"'
    assert fields.getter(("a", "b"))(items[0]) == b""
