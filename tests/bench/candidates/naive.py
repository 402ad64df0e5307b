"""What one writes on an afternoon: gql, json, and a `send()` for every row."""

import asyncio
import json
import sys
from datetime import datetime

from aiokafka import AIOKafkaProducer
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport

DOCUMENT = """subscription { EVM { DEXTrades {
  Block { Time Number Hash } Transaction { Hash From To Index } Log { Index SmartContract }
  Trade { Index Dex { ProtocolName ProtocolFamily } Buy { ...Side } Sell { ...Side } } } } }
fragment Side on Side { Amount AmountInUSD Price PriceInUSD Buyer Seller
  Currency { Name Symbol SmartContract Decimals Fungible } }"""


async def main(url: str, brokers: str, topic: str, compression: str) -> None:
    transport = WebsocketsTransport(
        url=url, subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL], connect_args={"max_size": None}
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=brokers,
        acks="all",
        enable_idempotence=True,
        compression_type=None if compression == "none" else compression,
    )
    async with producer, Client(transport=transport) as session:
        async for result in session.subscribe(gql(DOCUMENT)):
            for row in result["EVM"]["DEXTrades"]:
                await producer.send(
                    topic,
                    key=row["Transaction"]["Hash"].encode(),
                    value=json.dumps(row).encode(),
                    timestamp_ms=int(datetime.fromisoformat(row["Block"]["Time"]).timestamp() * 1000),
                )


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5]))
