"""
Connections that can be relied on.

Balancers and firewalls forget a connection on which nothing came for a while, without a word: what is
written to it vanishes, and aiokafka waits for an answer until its request timeout. So a connection that was
idle is asked something small first, and one that does not answer is replaced. Opening one does not take the
whole request timeout either: behind it others wait.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any

from aiokafka import AIOKafkaClient
from aiokafka import errors as kafka_errors
from aiokafka.client import ConnectionGroup
from aiokafka.conn import create_conn
from aiokafka.protocol.admin import ApiVersionRequest

CONNECT = 10.0
"""Seconds for each step of opening a connection (Kafka's ``socket.connection.setup.timeout.ms``)."""

IDLE = 2.0
"""Seconds without an answer after which a connection is asked whether it is still there."""

PROBE = 2.0
"""Seconds that it has for that."""

AVOID = 30.0
"""Seconds for which a broker is not chosen at random that could not be connected to."""


async def connect_soon(host: str, port: int, *, request_timeout_ms: int, **options: Any) -> Any:
    """Do what ``create_conn`` does, with `CONNECT` as the deadline of each step."""
    first = min(request_timeout_ms, round(CONNECT * 1000))
    connection = await create_conn(host, port, request_timeout_ms=first, **options)
    connection._request_timeout = request_timeout_ms / 1000
    return connection


class Guard:
    """
    Of the connections of ``client``, an ``AIOKafkaClient``. ``is_muted`` says whether a broker is known not
    to answer for now.
    """

    def __init__(self, client: Any, is_muted: Callable[[Any], bool] = lambda node_id: False) -> None:
        inner = AIOKafkaClient._get_conn
        opening = FunctionType(inner.__code__, {**inner.__globals__, "create_conn": connect_soon})
        opening.__kwdefaults__ = inner.__kwdefaults__
        self._open = MethodType(opening, client)
        self._client = client
        self._is_muted = is_muted
        self._probes: dict[Any, asyncio.Future[None]] = {}
        self._failed: dict[Any, float] = {}
        client._get_conn = self.get
        client.get_random_node = self.random_node

    async def get(self, node_id: Any, *, group: Any = ConnectionGroup.DEFAULT, no_hint: bool = False) -> Any:
        """Return a connection to the broker; `None` where there is none."""
        known = self._client._conns.get((node_id, group))
        if known is not None and known.connected():
            if known in self._probes:
                await asyncio.shield(self._probes[known])
            elif not _is_idle(known) or self._is_muted(node_id):
                return known
            else:
                await self._probe(known)
            if known.connected():
                return known
        found = await self._open(node_id, group=group, no_hint=no_hint)
        if found is None:
            self._failed[node_id] = time.monotonic()
        else:
            self._failed.pop(node_id, None)
        return found

    async def _probe(self, connection: Any) -> None:
        """Close ``connection`` unless it answers soon."""
        probe = self._probes[connection] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(PROBE):
                await connection.send(ApiVersionRequest())
        except (kafka_errors.KafkaError, OSError, TimeoutError):
            connection.close()
        finally:
            del self._probes[connection]
            probe.set_result(None)

    def random_node(self) -> Any:
        """Return the id of a broker, if possible of one that is not known to be away."""
        since = time.monotonic() - AVOID
        nodes = [broker.nodeId for broker in self._client.cluster.brokers()]
        well = [node for node in nodes if self._failed.get(node, since) <= since]
        return random.choice(well or nodes) if nodes else None  # noqa: S311


def _is_idle(connection: Any) -> bool:
    return not connection._requests and time.monotonic() - connection._last_action > IDLE
