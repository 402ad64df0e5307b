"""How each candidate is started."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from tests.bench import cells
from tests.bench.cells import Cell
from tests.bench.foreign import quix_python
from tests.bench.processes import python

DOCUMENT = """
subscription {
  EVM {
    DEXTrades {
      Block { Time Number Hash }
      Transaction { Hash From To Index }
      Log { Index SmartContract }
      Trade { Index Dex { ProtocolName ProtocolFamily } Buy { ...Side } Sell { ...Side } }
    }
  }
}
fragment Side on Side {
  Amount AmountInUSD Price PriceInUSD Buyer Seller
  Currency { Name Symbol SmartContract Decimals Fungible }
}
"""


def command(cell: Cell, *, url: str, brokers: str, topic: str, directory: Path) -> list[str]:
    """Return the command of a candidate that is to fill ``topic``."""
    limits = {
        cells.RECEIVE: "receive",
        cells.PARSE: "parse",
        cells.PRODUCE_AIOKAFKA: "produce_aiokafka",
        cells.PRODUCE_LIBRDKAFKA: "produce_librdkafka",
    }
    common = (url, brokers, topic, cell.compression)
    match cell.candidate:
        case cells.PRODUCT | cells.PRODUCT_AGAIN:
            file = directory / "connector.yaml"
            whole = configuration(url, brokers, [topic], compression=cell.compression)
            file.write_text(yaml.safe_dump(whole))
            return [str(Path(sys.executable).parent / "connector"), "run", "-c", str(file)]
        case cells.NAIVE | cells.CAREFUL:
            return python(f"tests.bench.candidates.{cell.candidate}", *common)
        case cells.QUIX | cells.QUIX_TUNED:
            way = "tuned" if cell.candidate == cells.QUIX_TUNED else "documented"
            return [str(quix_python()), "-m", "tests.bench.candidates.quix.program", *common, way]
        case _:
            return python("tests.bench.candidates.limits", limits[cell.candidate], *common)


def configuration(
    url: str, brokers: str, topics: Sequence[str], *, compression: str = "none", **changes: object
) -> dict[str, object]:
    """The connector as a user would have it, with key, time and metrics: a subscription for each topic."""
    return {
        "name": "bench",
        "endpoint": {"preset": "bitquery", "url": url},
        "token": "a-token-that-nobody-asks-for",
        "kafka": {"bootstrap_servers": brokers, "compression": compression},
        "topics": {"create": False},
        "offsets": False,
        "http": {"host": "127.0.0.1", "port": 0},
        "subscriptions": [
            {
                "name": f"trades-{number}",
                "document": DOCUMENT,
                "topic": topic,
                "key": ["Transaction.Hash"],
                "timestamp": "Block.Time",
            }
            for number, topic in enumerate(topics)
        ],
        **changes,
    }
