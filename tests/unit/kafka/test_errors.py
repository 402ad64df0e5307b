"""What the client library raises becomes an error of ours, by what is done about it."""

import pytest
from aiokafka import errors as kafka_errors

from connector.errors import DataError, RetriableError
from connector.kafka import ContentRefused, NotAllowed, ProducerBroken, QueueFull, TopicMissing
from connector.kafka.errors import translate_error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (kafka_errors.MessageSizeTooLargeError(), "too_large"),
        (kafka_errors.RecordTooLargeError(), "too_large"),
        (kafka_errors.RecordListTooLargeError(), "too_large"),
        (kafka_errors.InvalidTimestampError(), "timestamp"),
        (kafka_errors.PolicyViolationError(), "invalid"),
        (kafka_errors.for_code(87)(), "invalid"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_what_is_refused_for_its_content(error: Exception, reason: str) -> None:
    ours = translate_error(error, topic="t")
    assert isinstance(ours, ContentRefused)
    assert isinstance(ours, DataError)
    assert ours.reason == reason


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (kafka_errors.KafkaTimeoutError(), QueueFull, "queue"),
        (kafka_errors.TopicAuthorizationFailedError("t"), NotAllowed, "to write to topic t: grant it"),
        (
            kafka_errors.ClusterAuthorizationFailedError(),
            NotAllowed,
            "IDEMPOTENT_WRITE on the cluster): grant it",
        ),
        (kafka_errors.UnknownTopicOrPartitionError(), TopicMissing, "topic t does not exist: create it"),
        (kafka_errors.OutOfOrderSequenceNumber(), ProducerBroken, "OUT_OF_ORDER_SEQUENCE_NUMBER (45)"),
        (kafka_errors.ProducerFenced(), ProducerBroken, "INVALID_PRODUCER_EPOCH (47)"),
        (kafka_errors.ProducerClosed(), ProducerBroken, "ProducerClosed"),
        (kafka_errors.NotLeaderForPartitionError(), ProducerBroken, "NOT_LEADER_OR_FOLLOWER (6)"),
        (kafka_errors.for_code(76)(), ProducerBroken, "UNSUPPORTED_COMPRESSION_TYPE (76)"),
        (kafka_errors.CorruptRecordException(), ProducerBroken, "CORRUPT_MESSAGE (2)"),
        (kafka_errors.UnknownError(), ProducerBroken, "UNKNOWN_SERVER_ERROR (-1)"),
        (kafka_errors.KafkaError("Unexpected error during batch delivery"), ProducerBroken, "KafkaError"),
        (kafka_errors.for_code(9999)(), ProducerBroken, ""),
        (kafka_errors.IllegalOperation("x"), ProducerBroken, "IllegalOperation"),
        (AssertionError("Unrecognized partition"), ProducerBroken, "AssertionError"),
        (OSError("secret address"), ProducerBroken, "OSError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_may_be_tried_again(error: Exception, kind: type[RetriableError], says: str) -> None:
    ours = translate_error(error, topic="t")
    assert type(ours) is kind
    assert isinstance(ours, RetriableError)
    assert says in str(ours)
    assert "secret" not in str(ours)


def test_a_missing_topic_is_named() -> None:
    assert TopicMissing("t").topic == "t"
