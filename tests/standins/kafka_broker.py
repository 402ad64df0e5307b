"""
A Kafka broker of a few request kinds, that counts them and behaves as networks and brokers do now and then.

It keeps the values that producers sent, and drops a batch that it has already (by its producer and sequence).
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from io import BytesIO
from typing import Any

import anyio
from aiokafka.protocol.admin import ApiVersionResponse_v0, ApiVersionResponse_v1
from aiokafka.protocol.metadata import MetadataRequest_v4, MetadataResponse_v4
from aiokafka.protocol.produce import ProduceRequest_v5, ProduceResponse_v5
from aiokafka.protocol.transaction import InitProducerIdResponse_v0
from aiokafka.record.memory_records import MemoryRecords

PRODUCE, METADATA, API_VERSIONS, INIT_PRODUCER_ID = 0, 3, 18, 22
_VERSIONS = [(PRODUCE, 5, 5), (METADATA, 4, 4), (API_VERSIONS, 0, 1), (INIT_PRODUCER_ID, 0, 0)]


class StandinBroker:
    """
    Entered by `standin_broker`. ``topics`` maps names to numbers of partitions, and ``leaderless`` holds
    partitions that have no leader.

    ``largest``: connections end on larger requests. ``quota``: seconds that a connection is not read after a
    produce request, which are told. ``forgets_after``: seconds without a request after which what comes on a
    connection vanishes. ``None``: neither.
    """

    def __init__(self) -> None:
        self.address = ""
        self.topics: dict[str, int] = {}
        self.leaderless: set[tuple[str, int]] = set()
        self.largest: int | None = None
        self.quota: float | None = None
        self.forgets_after: float | None = None
        self.requests: Counter[int] = Counter()
        self.sizes: list[int] = []
        self.connections = 0
        self.impatient = 0
        self.values: defaultdict[tuple[str, int], list[bytes]] = defaultdict(list)
        self._seen: set[tuple[Any, ...]] = set()
        self._producers = 0
        self._port = 0

    @property
    def written(self) -> int:
        """Rows of all partitions."""
        return sum(map(len, self.values.values()))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests, in order."""
        self.connections += 1
        last = time.monotonic()
        try:
            while True:
                (size,) = struct.unpack(">i", await reader.readexactly(4))
                if self.forgets_after is not None and time.monotonic() - last > self.forgets_after:
                    await reader.read()  # and says nothing
                    return
                if self.largest is not None and size > self.largest:
                    return
                last = time.monotonic()
                frame = BytesIO(await reader.readexactly(size))
                key, version, correlation = struct.unpack(">hhi", frame.read(8))
                (name,) = struct.unpack(">h", frame.read(2))
                frame.read(max(name, 0))
                self.requests[key] += 1
                body = self._answer(key, version, size, frame).encode()
                writer.write(struct.pack(">ii", len(body) + 4, correlation) + body)
                await writer.drain()
                if key == PRODUCE and self.quota is not None:
                    await self._mute(reader)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def _mute(self, reader: asyncio.StreamReader) -> None:
        assert self.quota is not None
        await anyio.sleep(self.quota)
        self.impatient += bool(reader._buffer)  # type: ignore[attr-defined]

    def _answer(self, key: int, version: int, size: int, frame: BytesIO) -> Any:
        if key == API_VERSIONS:
            return ApiVersionResponse_v1(0, _VERSIONS, 0) if version else ApiVersionResponse_v0(0, _VERSIONS)
        if key == METADATA:
            return self._metadata(MetadataRequest_v4.decode(frame).topics)
        if key == INIT_PRODUCER_ID:
            self._producers += 1
            return InitProducerIdResponse_v0(0, 0, self._producers, 0)
        assert key == PRODUCE, key
        self.sizes.append(size)
        answers = [
            (topic, [(number, *self._write(topic, number, batch)) for number, batch in partitions])
            for topic, partitions in ProduceRequest_v5.decode(frame).topics
        ]
        return ProduceResponse_v5(answers, round((self.quota or 0) * 1000))

    def _metadata(self, names: list[str] | None) -> MetadataResponse_v4:
        topics = []
        for name in self.topics if names is None else names:
            count = self.topics.get(name)
            partitions = [
                (0, number, -1 if (name, number) in self.leaderless else 1, [1], [1])
                for number in range(count or 0)
            ]
            topics.append((0 if count else 3, name, False, partitions))
        return MetadataResponse_v4(0, [(1, "127.0.0.1", self._port, None)], "standin", 1, topics)

    def _write(self, topic: str, number: int, batch: bytes) -> tuple[int, int, int, int]:
        if number >= self.topics.get(topic, 0):
            return 3, -1, -1, -1
        if (topic, number) in self.leaderless:
            return 6, -1, -1, -1
        producer = struct.unpack_from(">qhi", batch, 43)
        if (topic, number, *producer) not in self._seen:
            self._seen.add((topic, number, *producer))
            records = MemoryRecords(bytes(batch))
            while (found := records.next_batch()) is not None:
                self.values[topic, number] += [record.value for record in found]
        return 0, 0, -1, 0


@asynccontextmanager
async def standin_broker(**topics: int) -> AsyncIterator[StandinBroker]:
    """A broker that listens, with these topics."""
    broker = StandinBroker()
    broker.topics = dict(topics)
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        with suppress(asyncio.CancelledError):
            await broker.serve(reader, writer)
        serving.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    broker._port = server.sockets[0].getsockname()[1]
    broker.address = f"127.0.0.1:{broker._port}"
    try:
        yield broker
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.sleep(0)
