"""
librdkafka's mock cluster, by ctypes on the library that ``confluent-kafka`` bundles.

It serves produce, fetch, idempotence and the transaction state machine without Java, and makes faults on
request. It does **not** create topics by admin (aiokafka's admin dies on it), fence, hide aborted records,
or keep more than about 5 MB a partition: count by acknowledged offsets, or read while rows flow.

::

    with MockKafka(brokers=1) as kafka:
        kafka.create_topic("dex.trades", partitions=4)
        kafka.push_errors(ApiKey.PRODUCE, [KafkaCode.NOT_LEADER_OR_FOLLOWER] * 3)
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Self

import confluent_kafka

_PRODUCER = 0
_CONF_OK = 0
DEFAULT_PARTITIONS = 4
"""Partitions of a topic that nobody created; librdkafka's own number."""


class ApiKey(IntEnum):
    """Kafka's request kinds (protocol guide, "Api Keys") that tests let fail."""

    PRODUCE = 0
    FETCH = 1
    LIST_OFFSETS = 2
    METADATA = 3
    FIND_COORDINATOR = 10
    API_VERSIONS = 18
    INIT_PRODUCER_ID = 22
    ADD_PARTITIONS_TO_TXN = 24
    END_TXN = 26


class KafkaCode(IntEnum):
    """Kafka's error codes (protocol guide, "Error Codes") that tests let brokers answer."""

    CORRUPT_MESSAGE = 2
    UNKNOWN_TOPIC_OR_PARTITION = 3
    LEADER_NOT_AVAILABLE = 5
    NOT_LEADER_OR_FOLLOWER = 6
    REQUEST_TIMED_OUT = 7
    MESSAGE_TOO_LARGE = 10
    NOT_ENOUGH_REPLICAS = 19
    TOPIC_AUTHORIZATION_FAILED = 29
    INVALID_TIMESTAMP = 32
    OUT_OF_ORDER_SEQUENCE_NUMBER = 45
    KAFKA_STORAGE_ERROR = 56


class MockKafka:
    """
    A mock cluster in threads of this process, up while entered.

    Unknown topics appear at first use with DEFAULT_PARTITIONS.
    """

    def __init__(self, *, brokers: int = 1) -> None:
        self.brokers = brokers
        self._client: int | None = None
        self._cluster: int | None = None

    def __enter__(self) -> Self:
        library = _library()
        conf = library.rd_kafka_conf_new()
        message = ctypes.create_string_buffer(512)
        self._client = library.rd_kafka_new(_PRODUCER, conf, message, len(message))
        if not self._client:
            raise RuntimeError(f"librdkafka: {message.value.decode()}")
        self._cluster = library.rd_kafka_mock_cluster_new(self._client, self.brokers)
        if not self._cluster:
            raise RuntimeError("librdkafka made no mock cluster")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        library = _library()
        library.rd_kafka_mock_cluster_destroy(self._cluster)
        library.rd_kafka_destroy(self._client)
        self._cluster = self._client = None

    @property
    def bootstrap_servers(self) -> str:
        """``host:port`` of every broker, joined by commas."""
        found: bytes = _library().rd_kafka_mock_cluster_bootstraps(self._cluster)
        return found.decode()

    def create_topic(
        self, topic: str, *, partitions: int = DEFAULT_PARTITIONS, replication_factor: int = 1
    ) -> None:
        """Create a topic. Raises: RuntimeError: The mock refused, with its code."""
        _check(
            _library().rd_kafka_mock_topic_create(
                self._cluster, topic.encode(), partitions, replication_factor
            )
        )

    def push_errors(self, request: ApiKey, codes: Sequence[int]) -> None:
        """The next requests of the kind are answered with these codes, whichever broker they reach."""
        array = (ctypes.c_int * len(codes))(*codes)
        _library().rd_kafka_mock_push_request_errors_array(self._cluster, int(request), len(codes), array)

    def set_topic_error(self, topic: str, code: int) -> None:
        """Metadata answers the code for the topic; 0 ends it."""
        _library().rd_kafka_mock_topic_set_error(self._cluster, topic.encode(), code)

    def down(self, broker: int = 1) -> None:
        """Cut the broker's connections and refuse new ones (brokers count from 1)."""
        _check(_library().rd_kafka_mock_broker_set_down(self._cluster, broker))

    def up(self, broker: int = 1) -> None:
        """The broker is back."""
        _check(_library().rd_kafka_mock_broker_set_up(self._cluster, broker))

    def set_rtt(self, seconds: float, broker: int = -1) -> None:
        """Answers take so long; -1: every broker."""
        _check(_library().rd_kafka_mock_broker_set_rtt(self._cluster, broker, int(seconds * 1000)))

    def set_leader(self, topic: str, partition: int, broker: int) -> None:
        """Move a partition's leadership; broker -1: no leader."""
        _check(
            _library().rd_kafka_mock_partition_set_leader(self._cluster, topic.encode(), partition, broker)
        )


def _check(code: int) -> None:
    if code != _CONF_OK:
        raise RuntimeError(f"librdkafka's mock cluster answered {code}")


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    package = Path(confluent_kafka.__file__).parent
    bundled = sorted(package.parent.glob("confluent_kafka.libs/librdkafka-*.so*"))
    bundled += sorted(package.glob(".dylibs/librdkafka*.dylib"))
    if not bundled:
        raise RuntimeError("confluent-kafka bundles no librdkafka here")
    library = ctypes.CDLL(str(bundled[0]))
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    signatures: dict[str, tuple[object, list[object]]] = {
        "rd_kafka_conf_new": (pointer, []),
        "rd_kafka_new": (pointer, [number, pointer, text, ctypes.c_size_t]),
        "rd_kafka_destroy": (None, [pointer]),
        "rd_kafka_mock_cluster_new": (pointer, [pointer, number]),
        "rd_kafka_mock_cluster_destroy": (None, [pointer]),
        "rd_kafka_mock_cluster_bootstraps": (text, [pointer]),
        "rd_kafka_mock_topic_create": (number, [pointer, text, number, number]),
        "rd_kafka_mock_topic_set_error": (None, [pointer, text, number]),
        "rd_kafka_mock_push_request_errors_array": (
            None,
            [pointer, ctypes.c_int16, ctypes.c_size_t, ctypes.POINTER(ctypes.c_int)],
        ),
        "rd_kafka_mock_broker_set_down": (number, [pointer, ctypes.c_int32]),
        "rd_kafka_mock_broker_set_up": (number, [pointer, ctypes.c_int32]),
        "rd_kafka_mock_broker_set_rtt": (number, [pointer, ctypes.c_int32, number]),
        "rd_kafka_mock_partition_set_leader": (number, [pointer, text, ctypes.c_int32, ctypes.c_int32]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
