"""
The streaming upstream's schema: numbered rows in the shape of ``EVM.DEXTrades``, served by strawberry.

The field names are the vendor's own, capitals included. A row's number is its ``Log.Index``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

import strawberry
from starlette.requests import Request
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.schema.config import StrawberryConfig

from connector.demo.feed import NETWORKS
from connector.demo.sockets import session_of

ROWS_PER_BLOCK = 100

DOCUMENT = """\
subscription($network: String) {
  EVM(network: $network) {
    DEXTrades {
      Block { Time Number }
      Transaction { Hash }
      Log { Index }
      Trade {
        Index
        Buy { Amount Price Currency { Symbol SmartContract } }
        Sell { Amount Price Currency { Symbol SmartContract } }
      }
    }
  }
}
"""
"""What the demo's connector subscribes to."""


@strawberry.type(name="Block")
class BlockType:
    Time: str
    Number: str


@strawberry.type(name="Transaction")
class TransactionType:
    Hash: str


@strawberry.type(name="Log")
class LogType:
    Index: int


@strawberry.type(name="Currency")
class CurrencyType:
    Symbol: str
    SmartContract: str


@strawberry.type
class Side:
    Amount: str
    Price: float
    Currency: CurrencyType


@strawberry.type(name="Trade")
class TradeType:
    Index: int
    Buy: Side
    Sell: Side


@strawberry.type
class DEXTrade:
    Block: BlockType
    Transaction: TransactionType
    Log: LogType
    Trade: TradeType


@strawberry.type
class EVM:
    DEXTrades: list[DEXTrade]


WBNB = CurrencyType(Symbol="WBNB", SmartContract="0xbb4cdb9cbd36b01bd1cbaebf2de08d9173bc095c")
USDT = CurrencyType(Symbol="USDT", SmartContract="0x55d398326f99059ff775485246999027b3197955")


def hash_of(number: int) -> str:
    """Return the transaction hash of row ``number``."""
    return f"0x{number * 0x9E3779B97F4A7C15 & (1 << 256) - 1:064x}"


def row(number: int, now: str) -> DEXTrade:
    """Return row ``number``, dated ``now`` (RFC 3339)."""
    price = 600 + number % 997 / 10
    return DEXTrade(
        Block=BlockType(Time=now, Number=str(50_000_000 + number // ROWS_PER_BLOCK)),
        Transaction=TransactionType(Hash=hash_of(number)),
        Log=LogType(Index=number),
        Trade=TradeType(
            Index=0,
            Buy=Side(Amount=f"{number % 89}.000000000000000001", Price=price, Currency=WBNB),
            Sell=Side(Amount=f"{number % 89 * price:.18f}", Price=1 / price, Currency=USDT),
        ),
    )


@strawberry.type
class Query:
    @strawberry.field
    def networks(self) -> list[str]:
        """Return the networks that can be subscribed to."""
        return list(NETWORKS)


@strawberry.type
class Subscription:
    @strawberry.subscription(name="EVM")  # type: ignore[untyped-decorator]  # the library's overloads
    async def evm(
        self, info: strawberry.Info[dict[str, Any], None], network: str | None = None
    ) -> AsyncGenerator[EVM, None]:
        """Stream the rows of ``network``, as they are numbered, until the socket ends."""
        socket: WebSocket = info.context["request"]
        with session_of(socket).operation(network or NETWORKS[0]) as tap:
            while True:
                numbers = await tap.take()
                now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
                yield EVM(DEXTrades=[row(number, now) for number in numbers])


def graphql_app() -> GraphQL[dict[str, Request | WebSocket], None]:
    """Return the ASGI application that speaks both subprotocols on one path."""
    schema = strawberry.Schema(
        query=Query, subscription=Subscription, config=StrawberryConfig(auto_camel_case=False)
    )
    return GraphQL(schema, graphql_ide=None, keep_alive=True, keep_alive_interval=2)
