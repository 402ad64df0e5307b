"""What is sent is, byte by byte, what the library would send."""

from typing import Any

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.protocol.produce import ProduceRequest

from connector.kafka.batch import FilledAtOnce
from connector.kafka.produce import _Request

TOPICS = [("one", [(0, b"first"), (3, b"")]), ("zwölf", [(1, bytearray(b"x" * 5000))])]


CASES: list[tuple[Any, str | None]] = [(kind, None) for kind in ProduceRequest._CLASSES]
CASES += [(kind, "t-1") for kind in ProduceRequest._CLASSES if kind.API_VERSION >= 3]


@pytest.mark.parametrize(("kind", "transaction"), CASES)
def test_a_request_is_encoded_as_by_the_library(kind: Any, transaction: str | None) -> None:
    known = (transaction, -1, 30_000, TOPICS)
    expected = ProduceRequest(*known).build(kind).encode()
    message = b"header" + _Request(*known).build(kind).encode()
    assert len(message) == len(b"header" + expected)
    assert b"size" + message == b"sizeheader" + expected


RECORDS = [
    (b"k%d" % number if number % 3 else None, b"v" * (number * 7), 1_700_000_000_000 + number, headers, None)
    for number, headers in enumerate([[], [("h", b"1")], [("h", b"1"), ("größe", b"")]] * 20)
]


@pytest.mark.parametrize("size", [1, 2000, 1 << 20])
def test_a_batch_filled_at_once_is_one_filled_record_by_record(size: int) -> None:
    one = BatchBuilder(size, 0, is_transactional=0)
    taken = 0
    for key, value, moment, headers, _ in RECORDS:
        if one.append(timestamp=moment, key=key, value=value, headers=headers) is None:
            break
        taken += 1
    whole = FilledAtOnce(size, 0)
    half = len(RECORDS) // 2
    count = whole.extend(RECORDS[:half])
    if count == half:
        count += whole.extend(RECORDS[half:])
    assert (count, whole.record_count()) == (taken, one.record_count())
    assert whole.closed() is one.closed()
    assert bytes(whole._build()) == bytes(one._build())


def test_a_full_batch_takes_nothing_more() -> None:
    batch = FilledAtOnce(100, 0)
    assert batch.extend([(None, b"x" * 200, 1, [], None)] * 2) == 1
    assert batch.extend([(None, b"", 1, [], None)]) == 0
