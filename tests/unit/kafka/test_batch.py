"""A batch is, byte by byte, what the library would have built."""

from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch
from hypothesis import given
from hypothesis import strategies as st

from connector.kafka.batch import OVERHEAD, Record, RecordBatch
from connector.kafka.checksum import crc32c
from connector.kafka.settings import Compression
from connector.kafka.varint import VARINTS

HEADERS = st.lists(st.tuples(st.text(max_size=5), st.binary(max_size=200)), max_size=4)
VALUES: st.SearchStrategy[Any] = st.binary(max_size=20_000).map(lambda value: memoryview(value))
RECORDS: st.SearchStrategy[list[Any]] = st.lists(
    st.tuples(
        st.none() | st.binary(max_size=300),
        VALUES | st.binary(max_size=300),
        st.integers(0, 2**52),
        HEADERS,
        st.none(),
    ),
    min_size=1,
    max_size=80,
)
LARGE = 1 << 22
CODES: dict[Compression | None, int] = {None: 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def of_library(
    records: Sequence[Record], size: int, *, code: int = 0, transactional: bool = False
) -> tuple[int, bytes]:
    batch = BatchBuilder(size, code, is_transactional=transactional)
    taken = 0
    for key, value, moment, headers, _ in records:
        if batch.append(timestamp=moment, key=key, value=bytes(value), headers=headers) is None:
            break
        taken += 1
    batch._set_producer_state(7, 3, 1000)
    return taken, bytes(batch._build())


def of_ours(batch: RecordBatch) -> bytes:
    batch._set_producer_state(7, 3, 1000)
    return bytes(batch._build())


@given(RECORDS, st.sampled_from([1, 300, 5000, 1 << 20]), st.booleans())
def test_any_records_make_the_librarys_batch(records: list[Record], size: int, transactional: bool) -> None:
    batch = RecordBatch(size, is_transactional=transactional)
    taken = batch.extend(records)
    # The library's own bound is a little below the one it is given, depending on what came before.
    expected = of_library(records[:taken], LARGE, transactional=transactional)[1]
    assert batch.record_count() == taken
    assert batch.size() == len(expected)
    assert of_ours(batch) == expected
    assert taken == 1 or len(expected) <= size
    if taken < len(records):
        assert batch.closed()
        assert len(of_library(records[: taken + 1], LARGE)[1]) > size


@given(RECORDS, st.data())
def test_it_may_be_filled_in_several_turns(records: list[Record], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(records)))
    batch = RecordBatch(1 << 22)
    assert batch.extend(records[:at]) + batch.extend(records[at:]) == len(records)
    assert of_ours(batch) == of_library(records, 1 << 22)[1]


@given(
    st.lists(st.tuples(st.binary(max_size=300), st.integers(0, 2**52)), min_size=1, max_size=20),
    st.booleans(),
)
def test_tombstones_are_the_librarys(keys: list[tuple[bytes, int]], is_among_rows: bool) -> None:
    ours, theirs = RecordBatch(LARGE), BatchBuilder(LARGE, 0)
    if is_among_rows:
        ours.extend([(b"k", b"value", 5, [("h", b"1")], None)])
        theirs.append(timestamp=5, key=b"k", value=b"value", headers=[("h", b"1")])
    for key, moment in keys:
        assert ours.delete(key, moment)
        theirs.append(timestamp=moment, key=key, value=None, headers=[])
    theirs._set_producer_state(7, 3, 1000)
    assert of_ours(ours) == bytes(theirs._build())


def test_a_full_batch_takes_no_tombstone() -> None:
    batch = RecordBatch(150)
    assert batch.delete(b"k" * 200, 1)
    assert not batch.delete(b"k", 1)
    assert (batch.record_count(), batch.closed()) == (1, True)


@pytest.mark.parametrize("compression", CODES)
@pytest.mark.parametrize("value", [b"a" * 2000, b"x"])
def test_compressed_it_holds_the_same(compression: Compression | None, value: bytes) -> None:
    records: list[Record] = [
        (b"k%d" % n, value, 1_700_000_000_000 - n, [("h", b"1")], None) for n in range(9)
    ]
    batch = RecordBatch(1 << 20, compression)
    assert batch.extend(records) == 9
    built = of_ours(batch)
    expected = of_library(records, 1 << 20, code=CODES[compression])[1]
    (ours, theirs) = (DefaultRecordBatch(one) for one in (built, expected))
    assert ours.validate_crc()
    assert ours.compression_type == theirs.compression_type
    found: list[list[Any]] = [
        [(record.key, record.value, record.timestamp, record.offset, record.headers) for record in one]
        for one in (ours, theirs)
    ]
    assert found[0] == found[1]
    assert len(found[0]) == 9


def test_a_full_batch_takes_nothing_more() -> None:
    batch = RecordBatch(100)
    assert batch.extend([(None, b"x" * 200, 1, [], None)] * 2) == 1
    assert batch.extend([(None, b"", 1, [], None)]) == 0
    assert batch.size() > OVERHEAD + 200


@given(st.integers(-(2**40), 2**40) | st.integers(-200, 200))
def test_numbers_are_zigzag_and_variable(number: int) -> None:
    rest, found = VARINTS[number], 0
    for place, byte in enumerate(rest):
        found |= (byte & 0x7F) << (7 * place)
    assert (found >> 1) ^ -(found & 1) == number
    assert [byte > 0x7F for byte in rest] == [True] * (len(rest) - 1) + [False]


def test_the_checksum_is_castagnolis() -> None:
    assert crc32c(b"123456789") == 0xE3069283
