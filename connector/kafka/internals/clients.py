"""What aiokafka's clients know, and keep to themselves."""

from __future__ import annotations

import ssl
from typing import Any

from aiokafka import errors as kafka_errors


def client_of(admin: Any) -> Any:
    """
    Return the ``AIOKafkaClient`` of ``admin``, an ``AIOKafkaAdminClient`` or ``AIOKafkaConsumer``; a
    producer shows its own.
    """
    return admin._client


async def ask_for_topic(client: Any, topic: str) -> frozenset[int]:
    """
    Ask once for ``topic``; return its partitions, none where no broker knows of it.

    Raises:
        KafkaConnectionError: No broker answered.
        TopicAuthorizationFailedError: We may not describe it.
    """
    if not await client.set_topics([topic]):
        raise kafka_errors.KafkaConnectionError("no broker answered")
    if topic in client.cluster.unauthorized_topics:
        raise kafka_errors.TopicAuthorizationFailedError(topic)
    return frozenset(client.cluster.partitions_for_topic(topic) or ())


def metadata_time(client: Any) -> float:
    """Return when ``client`` last heard of the cluster, in milliseconds since 1970; 0 if it never did."""
    moment: float = client.cluster._last_successful_refresh_ms
    return moment


def replace_ssl_context(client: Any, context: ssl.SSLContext) -> None:
    """Use ``context`` for the connections that ``client`` opens from now on; there is no other way in."""
    client._ssl_context = context
