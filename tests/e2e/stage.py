"""A stage: token endpoint, upstream and topic names; and what a topic must hold in the end."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.brokers.cluster import KafkaCluster
from tests.brokers.java_producer import java_partitions
from tests.brokers.reader import Record, end_offsets, read_all
from tests.e2e.connector_process import ConnectorProcess
from tests.e2e.mount import Mount
from tests.standins.feed import Feed
from tests.standins.ledger import Audit
from tests.standins.oauth import StandInOAuth
from tests.standins.tokens import TokenAuthority
from tests.standins.upstream import StandInUpstream

DOCUMENT = """
subscription ($feed: String) {
  EVM(network: $feed) {
    DEXTrades {
      Block { Time Number }
      Transaction { Hash }
      Log { Index }
      Trade { Index Buy { Amount Price } Sell { Amount Price } }
    }
  }
}
"""


@dataclass(kw_only=True)
class Stage:
    """What the connector stands between. ``topic_prefix`` keeps tests' topics apart; it is its name, too."""

    authority: TokenAuthority
    oauth: StandInOAuth
    upstream: StandInUpstream
    kafka: KafkaCluster
    topic_prefix: str
    directory: Path

    def topic(self, feed: str) -> str:
        """The topic of a feed."""
        return f"{self.topic_prefix}.{feed}"

    def subscription(self, feed: Feed, **changes: Any) -> dict[str, Any]:
        """The configuration of one subscription to ``feed``."""
        return {
            "name": feed.name,
            "document": DOCUMENT,
            "variables": {"feed": feed.name},
            "rows": "EVM.DEXTrades",
            "topic": f"{self.topic_prefix}.{{feed}}",
            "key": ["Transaction.Hash"],
            "timestamp": "Block.Time",
            **changes,
        }

    def config(
        self, *feeds: Feed, endpoint: Mapping[str, Any] | None = None, **changes: Any
    ) -> dict[str, Any]:
        """A configuration that subscribes to ``feeds`` (none: all)."""
        return {
            "name": self.topic_prefix,
            "endpoint": {
                "preset": "bitquery",
                "url": self.upstream.url,
                **(endpoint or {}),
            },
            "oauth": {
                "token_url": self.oauth.url,
                "client_id": "${env:E2E_CLIENT_ID}",
                "client_secret": "${env:E2E_CLIENT_SECRET}",
            },
            "kafka": {"bootstrap_servers": self.kafka.bootstrap_servers},
            "topics": {"partitions": 4},
            "subscriptions": [self.subscription(feed) for feed in feeds or self.upstream.feeds.values()],
            **changes,
        }

    def secrets(self) -> Iterable[str]:
        """Everything that nobody may see."""
        return (self.oauth.client_secret, *self.authority.values)

    def start(self, config: Mapping[str, Any], *, prelude: str | None = None, **env: str) -> ConnectorProcess:
        """Start the connector; use it as an async context manager."""
        return self._start(config, env, prelude=prelude)

    def start_in(self, mount: Mount, config: Mapping[str, Any]) -> ConnectorProcess:
        """Start the connector with its configuration, and whatever else it reads, in ``mount``."""
        return self._start(config, {}, mount=mount)

    def _start(
        self,
        config: Mapping[str, Any],
        env: Mapping[str, str],
        *,
        prelude: str | None = None,
        mount: Mount | None = None,
    ) -> ConnectorProcess:
        number = len(list(self.directory.glob("run*")))
        directory = self.directory / f"run{number}"
        directory.mkdir()
        secrets = {"E2E_CLIENT_ID": self.oauth.client_id, "E2E_CLIENT_SECRET": self.oauth.client_secret}
        return ConnectorProcess(
            directory,
            config,
            env={**secrets, **env},
            secrets=self.secrets,
            prelude=prelude,
            mount=mount,
        )

    async def records(self, feed: Feed, *, at_least: int | None = None) -> list[Record]:
        """What the feed's topic holds."""
        topic = self.topic(feed.name)
        return await read_all(self.kafka.bootstrap_servers, topic, until=at_least)

    async def audit(self, feed: Feed, **options: Any) -> Audit:
        """Hold the topic against the ledger."""
        records = await self.records(feed)
        return feed.ledger.audit((record.value or b"" for record in records), **options)

    async def rows_in(self, feed: Feed) -> int:
        """How many records the feed's topic has."""
        return sum((await end_offsets(self.kafka.bootstrap_servers, self.topic(feed.name))).values())

    async def assert_exact(self, feed: Feed, *, doubled: bool = False, **options: Any) -> list[Record]:
        """
        Every row that had to arrive did, unchanged, with its key, timestamp and headers, in the order
        written, and where Kafka's own Java producer puts it. ``doubled`` lets rows come twice.
        """
        records = await self.records(feed)
        audit = feed.ledger.audit((record.value or b"" for record in records), **options)
        assert not audit.missing, f"{len(audit.missing)} missing: {sorted(audit.missing)[:10]}"
        assert not audit.altered, sorted(audit.altered)[:10]
        assert not audit.strangers
        assert not audit.unwritten, sorted(audit.unwritten)[:10]
        assert doubled or not audit.doubled, sorted(audit.doubled)[:10]
        self._assert_parts(feed, records)
        sample = records[:: max(1, len(records) // 500)]
        keys = [record.key for record in sample]
        expected = await java_partitions(self.kafka, self.topic(feed.name), keys)
        assert [record.partition for record in sample] == expected
        return records

    def _assert_parts(self, feed: Feed, records: list[Record]) -> None:
        from tests.standins.rows import row_number

        for record in records:
            number = row_number(record.value or b"")
            assert number is not None
            assert record.key == feed.ledger.key(number).encode()
            assert record.timestamp_ms == feed.ledger.timestamp_ms(number)
            headers = dict(record.headers)
            assert headers["connector"] == self.topic_prefix.encode()
            assert headers["subscription"] == feed.name.encode()
            assert headers["received_at"].isdigit()


@asynccontextmanager
async def open_stage(
    kafka: KafkaCluster,
    directory: Path,
    topic_prefix: str,
    *feeds: Feed,
    life: float = 3600.0,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Stage]:
    """Open upstream and token endpoint, which both speak ``tls`` if given; tokens live ``life`` seconds."""
    authority = TokenAuthority(life=life)
    async with (
        StandInOAuth(authority, tls=tls) as oauth,
        StandInUpstream(authority, feeds, tls=tls) as upstream,
    ):
        yield Stage(
            authority=authority,
            oauth=oauth,
            upstream=upstream,
            kafka=kafka,
            topic_prefix=topic_prefix,
            directory=directory,
        )
