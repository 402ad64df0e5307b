"""What is sent is, byte by byte, what the library would send."""

from typing import Any

import pytest
from aiokafka.protocol.produce import ProduceRequest

from connector.kafka.internals.produce import _Request

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
