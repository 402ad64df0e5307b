"""
Kafka's error codes (protocol guide, "Error Codes"; those of Kafka 4.4), and what is done about each.

`docs/kafka-errors.md` is made from this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Handling(StrEnum):
    """What is done where brokers answer a batch with a code."""

    DONE = "acknowledged"
    """It was written before: this is an acknowledgement."""

    RETRY = "retry"
    """The same producer sends the same batch again, after a short pause."""

    MISSING = "missing topic"
    """The same, and the topic is looked for, and created where `topics.create` says so."""

    CONTENT = "content"
    """The batch is halved until the bad row is alone: a bad record."""

    RIGHT = "right"
    """A right is missing. The partition pauses, up to a minute; the others go on with a new producer."""

    REBUILD = "rebuild"
    """A new producer sends again what was not acknowledged, with pauses that grow."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorCode:
    """
    One of Kafka's: its ``code`` and ``name``. ``reason`` is that of the bad record, ``text`` what is said of
    it; both are empty where `handling` is not `Handling.CONTENT`. ``is_stale``: metadata is asked for anew.
    """

    code: int
    name: str
    handling: Handling
    reason: str = ""
    text: str = ""
    is_stale: bool = False

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


_NAMES = """
OFFSET_OUT_OF_RANGE CORRUPT_MESSAGE UNKNOWN_TOPIC_OR_PARTITION INVALID_FETCH_SIZE
LEADER_NOT_AVAILABLE NOT_LEADER_OR_FOLLOWER REQUEST_TIMED_OUT BROKER_NOT_AVAILABLE
REPLICA_NOT_AVAILABLE MESSAGE_TOO_LARGE STALE_CONTROLLER_EPOCH OFFSET_METADATA_TOO_LARGE
NETWORK_EXCEPTION COORDINATOR_LOAD_IN_PROGRESS COORDINATOR_NOT_AVAILABLE NOT_COORDINATOR
INVALID_TOPIC_EXCEPTION RECORD_LIST_TOO_LARGE NOT_ENOUGH_REPLICAS NOT_ENOUGH_REPLICAS_AFTER_APPEND
INVALID_REQUIRED_ACKS ILLEGAL_GENERATION INCONSISTENT_GROUP_PROTOCOL INVALID_GROUP_ID
UNKNOWN_MEMBER_ID INVALID_SESSION_TIMEOUT REBALANCE_IN_PROGRESS INVALID_COMMIT_OFFSET_SIZE
TOPIC_AUTHORIZATION_FAILED GROUP_AUTHORIZATION_FAILED CLUSTER_AUTHORIZATION_FAILED INVALID_TIMESTAMP
UNSUPPORTED_SASL_MECHANISM ILLEGAL_SASL_STATE UNSUPPORTED_VERSION TOPIC_ALREADY_EXISTS
INVALID_PARTITIONS INVALID_REPLICATION_FACTOR INVALID_REPLICA_ASSIGNMENT INVALID_CONFIG
NOT_CONTROLLER INVALID_REQUEST UNSUPPORTED_FOR_MESSAGE_FORMAT POLICY_VIOLATION
OUT_OF_ORDER_SEQUENCE_NUMBER DUPLICATE_SEQUENCE_NUMBER INVALID_PRODUCER_EPOCH INVALID_TXN_STATE
INVALID_PRODUCER_ID_MAPPING INVALID_TRANSACTION_TIMEOUT CONCURRENT_TRANSACTIONS
TRANSACTION_COORDINATOR_FENCED TRANSACTIONAL_ID_AUTHORIZATION_FAILED SECURITY_DISABLED
OPERATION_NOT_ATTEMPTED KAFKA_STORAGE_ERROR LOG_DIR_NOT_FOUND SASL_AUTHENTICATION_FAILED
UNKNOWN_PRODUCER_ID REASSIGNMENT_IN_PROGRESS DELEGATION_TOKEN_AUTH_DISABLED
DELEGATION_TOKEN_NOT_FOUND DELEGATION_TOKEN_OWNER_MISMATCH DELEGATION_TOKEN_REQUEST_NOT_ALLOWED
DELEGATION_TOKEN_AUTHORIZATION_FAILED DELEGATION_TOKEN_EXPIRED INVALID_PRINCIPAL_TYPE
NON_EMPTY_GROUP GROUP_ID_NOT_FOUND FETCH_SESSION_ID_NOT_FOUND INVALID_FETCH_SESSION_EPOCH
LISTENER_NOT_FOUND TOPIC_DELETION_DISABLED FENCED_LEADER_EPOCH UNKNOWN_LEADER_EPOCH
UNSUPPORTED_COMPRESSION_TYPE STALE_BROKER_EPOCH OFFSET_NOT_AVAILABLE MEMBER_ID_REQUIRED
PREFERRED_LEADER_NOT_AVAILABLE GROUP_MAX_SIZE_REACHED FENCED_INSTANCE_ID
ELIGIBLE_LEADERS_NOT_AVAILABLE ELECTION_NOT_NEEDED NO_REASSIGNMENT_IN_PROGRESS
GROUP_SUBSCRIBED_TO_TOPIC INVALID_RECORD UNSTABLE_OFFSET_COMMIT THROTTLING_QUOTA_EXCEEDED
PRODUCER_FENCED RESOURCE_NOT_FOUND DUPLICATE_RESOURCE UNACCEPTABLE_CREDENTIAL INCONSISTENT_VOTER_SET
INVALID_UPDATE_VERSION FEATURE_UPDATE_FAILED PRINCIPAL_DESERIALIZATION_FAILURE SNAPSHOT_NOT_FOUND
POSITION_OUT_OF_RANGE UNKNOWN_TOPIC_ID DUPLICATE_BROKER_REGISTRATION BROKER_ID_NOT_REGISTERED
INCONSISTENT_TOPIC_ID INCONSISTENT_CLUSTER_ID TRANSACTIONAL_ID_NOT_FOUND
FETCH_SESSION_TOPIC_ID_ERROR INELIGIBLE_REPLICA NEW_LEADER_ELECTED OFFSET_MOVED_TO_TIERED_STORAGE
FENCED_MEMBER_EPOCH UNRELEASED_INSTANCE_ID UNSUPPORTED_ASSIGNOR STALE_MEMBER_EPOCH
MISMATCHED_ENDPOINT_TYPE UNSUPPORTED_ENDPOINT_TYPE UNKNOWN_CONTROLLER_ID UNKNOWN_SUBSCRIPTION_ID
TELEMETRY_TOO_LARGE INVALID_REGISTRATION TRANSACTION_ABORTABLE INVALID_RECORD_STATE
SHARE_SESSION_NOT_FOUND INVALID_SHARE_SESSION_EPOCH FENCED_STATE_EPOCH INVALID_VOTER_KEY
DUPLICATE_VOTER VOTER_NOT_FOUND INVALID_REGULAR_EXPRESSION REBOOTSTRAP_REQUIRED
STREAMS_INVALID_TOPOLOGY STREAMS_INVALID_TOPOLOGY_EPOCH STREAMS_TOPOLOGY_FENCED
SHARE_SESSION_LIMIT_REACHED GROUP_DELETION_FAILED STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED
CONTROLLER_ID_NOT_REGISTERED
"""
"""From 1 on, in the order of their codes."""

UNKNOWN_SERVER_ERROR = -1

_RETRIED = frozenset(
    (2, 5, 6, 7, 8, 9, 13, 14, 15, 16, 19, 20, 41, 51, 56, 70, 71, 72, 74, 75, 78, 80, 83, 84, 88, 89)
) | {100, 103, 106, 122, 123, 133}
"""
Those that Kafka's own clients retry, and BROKER_NOT_AVAILABLE. CORRUPT_MESSAGE is one: bytes that were
damaged on their way.
"""

_STALE = frozenset({3, 5, 6, 8, 9, 13, 56, 72, 74, 80, 83, 84, 100, 103})
"""After these the brokers' metadata is asked for anew."""

_RIGHTS = frozenset({29, 30, 31, 53, 65})

_CONTENT: Mapping[int, tuple[str, str]] = {
    10: ("too_large", "larger than the topic's max.message.bytes"),
    17: ("topic", "the brokers do not let anybody write to this topic"),
    18: ("too_large", "larger than the topic's segment.bytes"),
    32: ("timestamp", "its timestamp is outside of what the topic allows"),
    44: ("invalid", "a policy of the cluster refuses it"),
    87: ("invalid", "the broker calls it invalid (a compacted topic wants keys)"),
}


def _make(code: int, name: str) -> ErrorCode:
    reason, text = _CONTENT.get(code, ("", ""))
    handling = Handling.REBUILD
    if code == 46:
        handling = Handling.DONE
    elif code == 3:
        handling = Handling.MISSING
    elif code in _CONTENT:
        handling = Handling.CONTENT
    elif code in _RETRIED:
        handling = Handling.RETRY
    elif code in _RIGHTS:
        handling = Handling.RIGHT
    return ErrorCode(
        code=code, name=name, handling=handling, reason=reason, text=text, is_stale=code in _STALE
    )


ERROR_CODES: Mapping[int, ErrorCode] = {
    UNKNOWN_SERVER_ERROR: _make(UNKNOWN_SERVER_ERROR, "UNKNOWN_SERVER_ERROR"),
    **{code: _make(code, name) for code, name in enumerate(_NAMES.split(), 1)},
}
"""All of them, by code."""


def error_code(code: int) -> ErrorCode:
    """Return what is known of ``code``; one that is not in the table ends the producer, too."""
    return ERROR_CODES.get(code) or _make(code, "UNKNOWN_CODE")
