"""The configuration of a release on the stand-in upstream, which runs in a process of its own."""

from pathlib import Path

from tests.helm.objects import Object
from tests.standins.process import StandInProcess

FEEDS = ("bsc", "eth")
ROWS_PER_SECOND = 500
"""Of each feed."""
TOKEN_LIFE = 20
"""Seconds: short enough that sessions are reopened with a fresh token between two steps of a test."""
DOCUMENT = """\
subscription ($network: evm_network) {
  EVM(network: $network) {
    DEXTrades { Block { Time } Transaction { Hash } }
  }
}
"""


def upstream_at(host_address: str, ledgers: Path) -> StandInProcess:
    """Not started yet; its rows flow from its start on, whoever listens."""
    options = {
        "--host": host_address,
        "--feeds": ",".join(FEEDS),
        "--rate": ROWS_PER_SECOND,
        "--token-life": TOKEN_LIFE,
    }
    words = tuple(str(word) for option in options.items() for word in option)
    return StandInProcess(directory=ledgers, options=words)


def secrets_of(upstream: StandInProcess) -> dict[str, str]:
    """What the pod proves itself with, by the keys that `config_for` names."""
    return {"CLIENT_ID": upstream.client_id, "CLIENT_SECRET": upstream.client_secret}


def config_for(upstream: StandInProcess, bootstrap_servers: str, *, http_port: int, topics: str) -> Object:
    """A configuration with one subscription for each feed; the topics' names begin with `topics`."""
    return {
        "name": "cluster-test",
        "endpoint": {"preset": "bitquery", "url": upstream.url},
        "oauth": {
            "token_url": upstream.token_url,
            "client_id": "${env:CLIENT_ID}",
            "client_secret": "${file:/run/secrets/connector/CLIENT_SECRET}",
        },
        "kafka": {"bootstrap_servers": bootstrap_servers},
        "http": {"port": http_port},
        "subscriptions": [
            {
                "name": feed,
                "document": "trades.graphql",
                "variables": {"network": feed},
                "topic": f"{topics}.{{network}}",
                "key": ["Transaction.Hash"],
                "timestamp": "Block.Time",
            }
            for feed in FEEDS
        ],
    }
