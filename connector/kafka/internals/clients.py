"""What aiokafka's clients know, and keep to themselves."""

from __future__ import annotations

import ssl
from typing import Any


def client_of(admin: Any) -> Any:
    """Return the ``AIOKafkaClient`` of ``admin``, an ``AIOKafkaAdminClient``; a producer shows its own."""
    return admin._client


def metadata_time(client: Any) -> float:
    """Return when ``client`` last heard of the cluster, in milliseconds since 1970; 0 if it never did."""
    moment: float = client.cluster._last_successful_refresh_ms
    return moment


def replace_ssl_context(client: Any, context: ssl.SSLContext) -> None:
    """Use ``context`` for the connections that ``client`` opens from now on; there is no other way in."""
    client._ssl_context = context
