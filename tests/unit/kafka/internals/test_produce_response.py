"""What brokers answer is read as the library would read it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from aiokafka.protocol.produce import ProduceRequest, ProduceResponse_v8

from connector.kafka.internals.produce_response import ProduceResponseReader

KINDS = [request.RESPONSE_TYPE for request in ProduceRequest._CLASSES]
HEADER = b"\0\0\0\7"


def partition(kind: Any, number: int, *, error: int = 0, odd: bool = False) -> tuple[object, ...]:
    """What a broker says of one partition."""
    said = (number, error, 2**40 + number, -1, 17)
    parts = 3 if kind.API_VERSION < 2 else 4 if kind.API_VERSION < 5 else 5
    rest = ([(3, "bad row"), (4, None)] if odd else [], "refused" if odd else None)
    return said[:parts] + (rest if kind.API_VERSION == 8 else ())


def encoded(kind: Any, topics: list[tuple[str, list[tuple[object, ...]]]]) -> bytes:
    said = (topics,) if kind.API_VERSION == 0 else (topics, 250)
    return HEADER + bytes(kind(*said).encode())


def after_header(data: bytes) -> BytesIO:
    buffer = BytesIO(data)
    buffer.read(len(HEADER))
    return buffer


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_is_read_as_by_the_library(kind: Any) -> None:
    topics = [
        ("one", [partition(kind, 0), partition(kind, 3, error=45)]),
        ("zwölf", [partition(kind, 1)]),
        ("", []),
    ]
    data = encoded(kind, topics)
    read, expected = ProduceResponseReader(kind).decode(after_header(data)), kind.decode(after_header(data))
    assert type(read) is not type(expected)  # the library was not asked
    assert (read.API_VERSION, read.topics) == (expected.API_VERSION, expected.topics)


def test_what_is_said_of_single_records_is_left_to_the_library() -> None:
    kind = ProduceResponse_v8
    data = encoded(kind, [("one", [partition(kind, 0), partition(kind, 1, error=87, odd=True)])])
    read = ProduceResponseReader(kind).decode(after_header(data))
    assert type(read) is kind
    assert read.topics == kind.decode(after_header(data)).topics


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_was_cut_off_is_broken(kind: Any) -> None:
    whole = encoded(kind, [("one", [partition(kind, 0)])])
    throttle = 4 if kind.API_VERSION else 0
    for length in range(len(HEADER), len(whole) - throttle):
        with pytest.raises(ValueError, match=r"Error|underrun"):
            ProduceResponseReader(kind).decode(after_header(whole[:length]))


@pytest.mark.parametrize("topics", [None, [("one", None)], [(None, [])]])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_null_is_left_to_the_library(kind: Any, topics: Any) -> None:
    count = b"\xff\xff\xff\xff" if topics is None else b"\0\0\0\1"
    for name, partitions in topics or ():
        count += b"\xff\xff" if name is None else b"\0\3one"
        count += b"\xff\xff\xff\xff" if partitions is None else b"\0\0\0\0"
    data = HEADER + count + b"\0" * 4
    assert type(ProduceResponseReader(kind).decode(after_header(data))) is kind
