"""A version of the metadata request that aiokafka does not know: it tells who may do what (KIP-430)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String


class OperationsResponse(Response):  # type: ignore[misc]
    """Metadata, version 8: ``authorized_operations`` are bits, numbered like the operations of ACLs."""

    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            Array(("node_id", Int32), ("host", String()), ("port", Int32), ("rack", String())),
        ),
        ("cluster_id", String()),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String()),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
        ("authorized_operations", Int32),
    )


class OperationsStruct(RequestStruct):  # type: ignore[misc]
    """As it is on the wire."""

    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = OperationsResponse
    SCHEMA = Schema(
        ("topics", Array(String())),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class OperationsRequest(Request[OperationsStruct]):  # type: ignore[misc]
    """What we may do with the cluster and with each of ``topics``; none is created by asking."""

    API_KEY = 3

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = list(topics)

    def build(self, request_struct_class: type[OperationsStruct]) -> OperationsStruct:
        """See aiokafka's `Request`."""
        return request_struct_class(self._topics, False, True, True)


async def fetch_operations(client: Any, topics: Sequence[str]) -> Any:
    """
    Ask any broker that ``client``, an ``AIOKafkaClient``, knows; see `OperationsResponse`.

    Raises:
        KafkaError: There is no answer, or no broker.
        NotImplementedError: The broker is too old.
        ValueError: The answer is broken.
    """
    return await client.send(client.get_random_node(), OperationsRequest(topics))
