"""The naive program after a review: fast JSON, a linger, a bounded queue. Arguments: url, brokers, topic."""

import asyncio
import sys
from datetime import datetime
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport

from tests.bench.candidates.naive import DOCUMENT


async def publish(queue: asyncio.Queue[Any], producer: AIOKafkaProducer, topic: str) -> None:
    encode = msgspec.json.Encoder().encode
    while True:
        for row in await queue.get():
            await producer.send(
                topic,
                key=row["Transaction"]["Hash"].encode(),
                value=encode(row),
                timestamp_ms=int(datetime.fromisoformat(row["Block"]["Time"]).timestamp() * 1000),
            )


async def main(url: str, brokers: str, topic: str, compression: str) -> None:
    transport = WebsocketsTransport(
        url=url,
        subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
        connect_args={"max_size": None},
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=brokers,
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
        compression_type=None if compression == "none" else compression,
    )
    queue: asyncio.Queue[Any] = asyncio.Queue(maxsize=1000)
    async with producer, Client(transport=transport) as session, asyncio.TaskGroup() as group:
        group.create_task(publish(queue, producer, topic))
        async for result in session.subscribe(gql(DOCUMENT)):
            await queue.put(result["EVM"]["DEXTrades"])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5]))
