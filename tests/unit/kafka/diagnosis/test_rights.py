"""A broker's answers about rights, read; the real ones are in tests/integration."""

from __future__ import annotations

import pytest

from connector.kafka.diagnosis.rights import DESCRIBE, WRITE, _answer, _idempotent, _topic, refuses_write
from connector.kafka.internals import BrokerConnection
from connector.kafka.internals.metadata import OperationsRequest, OperationsResponse, OperationsStruct

NOT_TOLD = -(2**31)
PARTITIONS: list[tuple[object, ...]] = [(0, number, 1, 0, [1], [1], []) for number in range(3)]


def test_the_request_creates_nothing_and_asks_for_topics() -> None:
    struct = OperationsRequest(["a", "b"]).prepare({3: (0, 13)})
    assert isinstance(struct, OperationsStruct)
    assert struct.encode() == b"\0\0\0\x02\0\x01a\0\x01b" + b"\0\x01\x01"


def test_a_broker_that_is_too_old_is_not_asked() -> None:
    with pytest.raises(NotImplementedError):
        OperationsRequest(["a"]).prepare({3: (0, 7)})


def test_an_answer_comes_back_as_it_was_sent() -> None:
    sent = OperationsResponse(
        0, [(1, "kafka", 9092, None)], "c", 1, [(0, "t", False, PARTITIONS, 16)], NOT_TOLD
    )
    read = OperationsResponse.decode(sent.encode())
    ((code, topic, _, partitions, operations),) = read.topics
    assert (read.cluster_id, code, topic, len(partitions), operations) == ("c", 0, "t", 3, 16)
    assert refuses_write(read, "t") is False
    assert refuses_write(read, "another") is False


@pytest.mark.parametrize(
    ("code", "operations", "describe", "write", "missing"),
    [
        (0, 1 << WRITE | 1 << DESCRIBE, "ok", "ok", False),
        (0, 1 << DESCRIBE, "ok", "refused", False),
        (0, NOT_TOLD, "ok", "not checked", False),
        (3, 1 << WRITE | 1 << DESCRIBE, "ok", "ok", True),
        (3, NOT_TOLD, "ok", "not checked", True),
        (29, NOT_TOLD, "refused", "refused", False),
        (5, NOT_TOLD, "failed", "failed", False),
        (17, NOT_TOLD, "failed", "failed", False),
    ],
)
def test_a_topic_is_told_by_its_code_and_bits(
    code: int, operations: int, describe: str, write: str, missing: bool
) -> None:
    rights = _topic(code, "t", False, PARTITIONS if code == 0 else [], operations)
    assert (rights.describe.verdict, rights.write.verdict, rights.is_missing) == (describe, write, missing)
    assert rights.partitions == (3 if code == 0 else None)


def test_a_partition_without_a_leader_is_named() -> None:
    leaderless = [*PARTITIONS[:2], (5, 2, -1, 0, [1], [], [1])]
    rights = _topic(0, "t", False, leaderless, 1 << WRITE)
    assert (rights.describe.verdict, rights.describe.detail) == ("failed", "partitions without a leader: [2]")


@pytest.mark.parametrize(
    ("code", "verdict"), [(0, "ok"), (14, "ok"), (15, "ok"), (31, "refused"), (35, "not checked")]
)
def test_who_may_come_back_later_was_let_in(code: int, verdict: str) -> None:
    assert _idempotent(code).verdict == verdict


async def test_a_question_that_cannot_even_be_sent_is_not_answered() -> None:
    never_connected = BrokerConnection("kafka", 9092)
    assert await _answer(never_connected.fetch_operations(["t"])) is None
    assert await _answer(never_connected.fetch_producer_id()) is None
