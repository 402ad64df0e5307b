"""
Limits: parts of the way and nothing else. Each prints how many rows it has done, ten times a second.

``receive``: frames off the socket. ``parse``: and the two decoding passes that any program must make that
publishes rows with a key and a time (the fields asked for, the rest left as bytes). ``produce_aiokafka``
and ``produce_librdkafka``: rows that are there already, into Kafka, acks=all, idempotent.
Arguments: which, url, brokers, topic, compression. ``receive_many`` is ``receive`` on so many sockets, on the
connector's event loop; its arguments are url and number.
"""

import asyncio
import json
import sys
import threading
import time
from collections.abc import AsyncIterator

import msgspec

from connector.cli.loop import loop_factory
from tests.bench.feeder import row

ROWS = 20_000


class Count:
    """Rows done, told by a thread."""

    def __init__(self) -> None:
        self.rows = 0
        threading.Thread(target=self._tell, daemon=True).start()

    def _tell(self) -> None:
        while True:
            time.sleep(0.1)
            print(time.monotonic(), self.rows, flush=True)


async def frames(url: str) -> AsyncIterator[bytes]:
    """Subscribe, and yield what comes as bytes."""
    from websockets.asyncio.client import connect
    from websockets.typing import Subprotocol

    async with connect(
        url, subprotocols=[Subprotocol("graphql-transport-ws")], max_size=None, ping_interval=None
    ) as socket:
        await socket.send(json.dumps({"type": "connection_init"}))
        await socket.recv()
        request = {"id": "1", "type": "subscribe", "payload": {"query": "subscription { rows }"}}
        await socket.send(json.dumps(request))
        while True:
            yield await socket.recv(decode=False)


async def receive(url: str) -> None:
    """Receive only; rows are counted by the size of the first frame's list."""
    count, rows = Count(), 0
    async for frame in frames(url):
        rows = rows or len(json.loads(frame)["payload"]["data"]["EVM"]["DEXTrades"])
        count.rows += rows


async def receive_many(url: str, sockets: str) -> None:
    """Receive only, on many sockets; frames are counted."""
    count = Count()

    async def one() -> None:
        async for _ in frames(url):
            count.rows += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(int(sockets)):
            group.create_task(one())


class _Evm(msgspec.Struct):
    DEXTrades: list[msgspec.Raw]


class _Data(msgspec.Struct):
    EVM: _Evm


class _Payload(msgspec.Struct):
    data: _Data


class _Envelope(msgspec.Struct):
    payload: _Payload


class _Block(msgspec.Struct):
    Time: str


class _Transaction(msgspec.Struct):
    Hash: str


class _Row(msgspec.Struct):
    Block: _Block
    Transaction: _Transaction


async def parse(url: str) -> None:
    """Receive, and decode the envelope to rows and of each row its key and time."""
    count = Count()
    envelope, fields = msgspec.json.Decoder(_Envelope), msgspec.json.Decoder(_Row)
    async for frame in frames(url):
        rows = envelope.decode(frame).payload.data.EVM.DEXTrades
        for raw in rows:
            fields.decode(raw)
        count.rows += len(rows)


def _preloaded() -> list[tuple[bytes, bytes]]:
    rows = [row(number, "2026-01-01T00:00:00Z") for number in range(ROWS)]
    return [(json.loads(one)["Transaction"]["Hash"].encode(), one) for one in rows]


async def produce_aiokafka(brokers: str, topic: str, compression: str) -> None:
    """Fill and send batches for partition after partition, one in flight for each."""
    from aiokafka import AIOKafkaProducer

    rows, count = _preloaded(), Count()
    async with AIOKafkaProducer(
        bootstrap_servers=brokers,
        acks="all",
        enable_idempotence=True,
        max_batch_size=900 * 1024,
        max_request_size=4 * 1024 * 1024,
        compression_type=None if compression == "none" else compression,
    ) as producer:
        partitions = sorted(await producer.partitions_for(topic))

        async def fill(partition: int) -> None:
            place = partition
            while True:
                batch, done = producer.create_batch(), 0
                while True:
                    key, value = rows[place % ROWS]
                    if batch.append(key=key, value=value, timestamp=None, headers=[]) is None:
                        break
                    place, done = place + 1, done + 1
                await (await producer.send_batch(batch, topic, partition=partition))
                count.rows += done

        async with asyncio.TaskGroup() as group:
            for partition in partitions:
                group.create_task(fill(partition))


async def produce_librdkafka(brokers: str, topic: str, compression: str) -> None:
    """The C client, told to batch; a callback counts what was acknowledged."""
    from confluent_kafka import Producer

    rows, count = _preloaded(), Count()
    producer = Producer(
        {
            "bootstrap.servers": brokers,
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 5,
            "batch.size": 900 * 1024,
            "compression.type": compression,
            "queue.buffering.max.messages": 200_000,
            "partitioner": "murmur2_random",
        }
    )

    def told(error: object, message: object) -> None:
        count.rows += error is None

    place = 0
    while True:
        try:
            while True:
                key, value = rows[place % ROWS]
                producer.produce(topic, key=key, value=value, on_delivery=told)
                place += 1
                if place % 1000 == 0:
                    producer.poll(0)
        except BufferError:
            producer.poll(0.05)


if __name__ == "__main__":
    if sys.argv[1] == "receive_many":
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(receive_many(*sys.argv[2:]))
    which, url, *kafka = sys.argv[1:6]
    program = {"receive": receive(url), "parse": parse(url)} if which in ("receive", "parse") else {}
    asyncio.run(program.get(which) or globals()[which](*kafka))
