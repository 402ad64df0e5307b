"""
Produce requests without copies of what they carry.

The library encodes a request from the inside out, and copies each batch once for every level.
"""

from __future__ import annotations

import struct
from typing import Any

from aiokafka import TopicPartition
from aiokafka.producer.sender import SendProduceReqHandler
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.types import String

from connector.kafka.error_codes import Handling
from connector.kafka.internals.broker_errors import code_of, know
from connector.kafka.internals.produce_response import ProduceResponseReader

_text = String("utf-8").encode
_number = struct.Struct(">i").pack
_two_numbers = struct.Struct(">ii").pack
_acks_and_timeout = struct.Struct(">hi").pack


class _Message:
    """A request with its header: ``bytes + message`` joins everything, once."""

    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __radd__(self, length: bytes) -> bytes:
        return b"".join((length, *self._parts))


class _Body:
    """A request: ``bytes + body`` puts the header before it."""

    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts

    def __radd__(self, header: bytes) -> _Message:
        return _Message([header, *self._parts])


def _encode(request: Any) -> _Body:
    """Encode ``request`` (Kafka protocol guide, Produce, versions 0 to 8)."""
    parts = [_text(request.transactional_id)] if request.API_VERSION >= 3 else []
    parts.append(_acks_and_timeout(request.required_acks, request.timeout))
    parts.append(_number(len(request.topics)))
    for topic, partitions in request.topics:
        parts += (_text(topic), _number(len(partitions)))
        for partition, batch in partitions:
            parts += (_two_numbers(partition, len(batch)), batch)
    return _Body(parts)


class _Request(ProduceRequest):  # type: ignore[misc]
    def build(self, request_struct_class: Any) -> Any:
        request = super().build(request_struct_class)
        body = _encode(request)
        request.encode = lambda: body  # a cycle through the request would keep its batches alive
        request.RESPONSE_TYPE = ProduceResponseReader(request.RESPONSE_TYPE)
        return request


Refusals = dict[TopicPartition, int]
"""The error code that brokers answered last for a partition, where it was one."""


class _Handler(SendProduceReqHandler):  # type: ignore[misc]
    def __init__(self, sender: Any, batches: Any, refusals: Refusals) -> None:
        super().__init__(sender, batches)
        self._refusals = refusals

    def create_request(self) -> _Request:
        request = super().create_request()
        return _Request(request._transactional_id, request._required_acks, request._timeout, request._topics)

    def handle_response(self, response: Any) -> None:
        refusals = self._refusals
        for topic, partitions in response.topics:
            for partition in partitions:
                if partition[1]:
                    know(partition[1])
                    refusals[TopicPartition(topic, partition[0])] = partition[1]
                elif refusals:
                    refusals.pop(TopicPartition(topic, partition[0]), None)
        super().handle_response(response)

    def _can_retry(self, error: Any, batch: Any) -> Any:
        """Go by our own table; the library's calls CORRUPT_MESSAGE lasting, and others that pass."""
        code = code_of(error)
        if code is None:
            return super()._can_retry(error, batch)
        if code.is_stale:
            self._client.force_metadata_update()
        return code.handling in (Handling.RETRY, Handling.MISSING)


async def send(sender: Any, node_id: Any, batches: Any, refusals: Refusals) -> None:
    """Do what ``Sender._send_produce_req`` does; ``refusals`` is kept up to date."""
    await _Handler(sender, batches, refusals).do(node_id)
    sender._in_flight.remove(node_id)
    for partition in batches:
        sender._muted_partitions.remove(partition)
