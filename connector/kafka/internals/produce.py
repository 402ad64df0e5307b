"""
Produce requests without copies of what they carry.

The library encodes a request from the inside out, and copies each batch once for every level.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiokafka import TopicPartition
from aiokafka import errors as kafka_errors
from aiokafka.producer.sender import SendProduceReqHandler
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.types import String

from connector.kafka.error_codes import Handling
from connector.kafka.internals.broker_errors import code_of, know
from connector.kafka.internals.clients import metadata_time
from connector.kafka.internals.produce_response import ProduceResponseReader
from connector.kafka.request_size import RequestSize, left_unanswered

_log = structlog.get_logger(__name__)

_REQUEST_HEADER = 512
"""Bytes of a request besides batches and their topics; `RequestSize` allows for both."""

_BATCH_OVERHEAD = 16
"""Bytes of a request for each batch, besides the topic's name."""

_AT_ONCE = 5
"""Requests under way on one connection, as with Kafka's own clients."""

LONG = 5.0
"""Seconds without an answer after which it is said that a request waits."""

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


class RequestRefused(Exception):
    """A connection ends on a batch alone; ``is_one_row``: it cannot be made smaller, and was tried often."""

    def __init__(self, message: str, *, is_one_row: bool) -> None:
        super().__init__(message)
        self.is_one_row = is_one_row


@dataclass(slots=True)
class Limits:
    """
    What the requests of one producer share. ``size`` bounds them; ``refusals`` are kept up to date.
    ``throttled`` holds until when brokers take nothing, by their ids, in seconds of `time.monotonic`;
    ``under_way`` since when requests have waited for an answer.
    """

    size: RequestSize
    refusals: Refusals = field(default_factory=dict)
    throttled: dict[Any, float] = field(default_factory=dict)
    under_way: dict[Any, float] = field(default_factory=dict)

    @property
    def waiting(self) -> str | None:
        """Say that a request has waited for long, else ``None``."""
        since = time.monotonic() - LONG
        sizes = [handler.size for handler, began in self.under_way.items() if began < since]
        return left_unanswered(max(sizes)) if sizes else None

    def is_throttled(self, node_id: Any) -> bool:
        """Whether the broker takes nothing for now, since a quota is exceeded."""
        return self.throttled.get(node_id, 0.0) > time.monotonic()


@dataclass(slots=True)
class _Part:
    """One request's batches; ``size`` is its bytes, about. ``is_open``: it was not answered."""

    batches: dict[Any, Any] = field(default_factory=dict)
    size: int = _REQUEST_HEADER
    is_open: bool = True

    @property
    def is_one_row(self) -> bool:
        return len(self.batches) == 1 and all(batch.record_count == 1 for batch in self.batches.values())


@dataclass(slots=True)
class _Group:
    """Requests under way together on one connection; ``is_counted``: its end was held against them."""

    parts: Sequence[_Part]
    is_counted: bool = False


class _Handler(SendProduceReqHandler):  # type: ignore[misc]
    def __init__(self, sender: Any, part: _Part, group: _Group, limits: Limits) -> None:
        super().__init__(sender, part.batches)
        self._part = part
        self._group = group
        self._limits = limits

    @property
    def size(self) -> int:
        return self._part.size

    def create_request(self) -> _Request:
        request = super().create_request()
        return _Request(request._transactional_id, request._required_acks, request._timeout, request._topics)

    async def do(self, node_id: Any) -> None:
        """As the library's, but a connection that ends on a request is held against the request's size."""
        if (why := self._limits.size.refusal_of(self._part.size)) is not None and self._part.is_one_row:
            self._part.is_open = False
            for batch in self._batches.values():
                batch.failure(exception=RequestRefused(why, is_one_row=True))
            return
        request = self.create_request()
        self._limits.under_way[self] = time.monotonic()
        try:
            response = await self._client.send(node_id, request)
        except kafka_errors.KafkaError as error:
            self._failed(error, node_id)
        else:
            self._part.is_open = False
            self._limits.size.answered(self._part.size, node_id)
            if throttle := getattr(response, "throttle_time_ms", 0):
                until = time.monotonic() + throttle / 1000
                self._limits.throttled[node_id] = max(until, self._limits.throttled.get(node_id, 0.0))
            self.handle_response(response)
        finally:
            del self._limits.under_way[self]
        if self._to_reenqueue:
            await asyncio.sleep(self._default_backoff)
            for batch in self._to_reenqueue:
                self._sender._message_accumulator.reenqueue(batch)
            await self._client._maybe_wait_metadata()

    def _failed(self, error: Any, node_id: Any) -> None:
        _log.debug("produce request without an answer", error=type(error).__name__)
        if getattr(error, "invalid_metadata", False):
            self._client.force_metadata_update()
        refused: RequestRefused | None = None
        if isinstance(error, kafka_errors.KafkaConnectionError):
            refused = self._ended(node_id)
        elif isinstance(error, kafka_errors.RequestTimedOutError):
            refused = self._unanswered(node_id)
        for batch in self._batches.values():
            if refused is not None:
                batch.failure(exception=refused)
            elif self._can_retry(error, batch):
                self._to_reenqueue.append(batch)
            else:
                batch.failure(exception=error)

    def _ended(self, node_id: Any) -> RequestRefused | None:
        """The connection ended. Return why its one batch must be made anew; `None` where it is sent again."""
        if not self._group.is_counted:
            self._group.is_counted = True
            largest = max((part for part in self._group.parts if part.is_open), key=lambda part: part.size)
            self._limits.size.ended(largest.size, node_id, is_one_row=largest.is_one_row)
        return self._refusal()

    def _unanswered(self, node_id: Any) -> RequestRefused | None:
        """As `_ended`, where time ran out; other requests on the connection end with it."""
        self._group.is_counted = True
        heard_at = time.monotonic() - (time.time() - metadata_time(self._client) / 1000)
        self._limits.size.unanswered(self._part.size, node_id, heard_at, is_one_row=self._part.is_one_row)
        return self._refusal()

    def _refusal(self) -> RequestRefused | None:
        size = self._limits.size
        if size.error is None or len(self._batches) > 1 or self._part.size <= size.limit:
            return None
        if not self._part.is_one_row:
            return RequestRefused(size.error, is_one_row=False)
        if not size.is_hopeless:
            return None
        refused = RequestRefused(size.error, is_one_row=True)
        size.row_given_up()
        return refused

    def handle_response(self, response: Any) -> None:
        refusals = self._limits.refusals
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


def _split(batches: Mapping[Any, Any], limit: int) -> list[_Part]:
    """Return the requests that ``batches`` go in, each of at most ``limit`` bytes or with one batch."""
    parts = [_Part()]
    for place, batch in batches.items():
        size = len(batch.get_data_buffer()) + len(place.topic) + _BATCH_OVERHEAD
        if parts[-1].batches and parts[-1].size + size > limit:
            parts.append(_Part())
        parts[-1].batches[place] = batch
        parts[-1].size += size
    return parts


async def send(sender: Any, node_id: Any, batches: Any, limits: Limits) -> None:
    """Do what ``Sender._send_produce_req`` does, with as many requests as it takes, a few at a time."""
    parts = _split(batches, limits.size.limit)
    for first in range(0, len(parts), _AT_ONCE):
        group = _Group(parts[first : first + _AT_ONCE])
        handlers = [_Handler(sender, part, group, limits) for part in group.parts]
        if len(handlers) == 1:
            await handlers[0].do(node_id)
        else:
            await asyncio.gather(*(handler.do(node_id) for handler in handlers))
        if limits.throttled:
            await _wait_out(node_id, limits)
    for partition in batches:
        sender._muted_partitions.remove(partition)
    sender._in_flight.remove(node_id)


async def _wait_out(node_id: Any, limits: Limits) -> None:
    """
    Return once the broker takes requests again: it answers at once, and reads nothing for the time that a
    quota demands (KIP-219).
    """
    until = limits.throttled.get(node_id)
    if until is not None:
        await asyncio.sleep(until - time.monotonic())
        del limits.throttled[node_id]
