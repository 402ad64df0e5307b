"""
The connector between servers that nobody here wrote: oidc-provider gives tokens that live seconds, npm
graphql-ws has each connection's token introspected there, and Apache Kafka takes the rows.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.brokers.cluster import KafkaCluster
from tests.brokers.reader import read_all
from tests.e2e.connector_process import PATIENCE, ConnectorProcess, at_least
from tests.references.fixtures import StartOidc, StartReference
from tests.references.oauth import AuthorizationServer, Client
from tests.references.servers import ReferenceServer

CLIENT = Client(client_id='+id/=% ":&', secret='+s3cret/=% ":&', auth="basic")


class Parties:
    """The two servers, and what the upstream saw of our tokens."""

    def __init__(self, oidc: AuthorizationServer, upstream: ReferenceServer) -> None:
        self.oidc = oidc
        self.upstream = upstream

    @property
    def let_in(self) -> list[str]:
        """The tokens that opened a connection, in order."""
        return [event.facts["token"] for event in self.upstream.seen("let in")]

    @property
    def kept_out(self) -> list[str]:
        """Why connections were refused, in order."""
        return [event.facts["error"] for event in self.upstream.seen("kept out")]

    @property
    def sent(self) -> int:
        """Results that were sent on connections that have ended."""
        return sum(event.facts["sent"]["results"] for event in self.upstream.closed)

    async def until_let_in_for_longer_than(self, seconds: float) -> None:
        """Return once the last token that opened a connection has so long to live."""
        with anyio.fail_after(PATIENCE):
            while await self._seconds_left() < seconds:  # noqa: ASYNC110
                await anyio.sleep(0.1)

    async def _seconds_left(self) -> float:
        expires_at: float = (await self.oidc.introspect(self.let_in[-1])).get("exp", 0)
        return expires_at - time.time()


def configuration(
    upstream: ReferenceServer, oidc: AuthorizationServer, kafka: KafkaCluster, topic: str
) -> Any:
    """Return what the connector is given; id and secret come from the environment."""
    return {
        "name": "oidc",
        "endpoint": {"preset": "generic", "url": upstream.url, "credentials": {"in": "header"}},
        "oauth": {
            "token_url": oidc.token_url,
            "client_id": "${env:E2E_ID}",
            "client_secret": "${env:E2E_SECRET}",
            "auth": "basic",
            "scope": "api",
        },
        "kafka": {"bootstrap_servers": kafka.bootstrap_servers},
        "subscriptions": [
            {
                "name": "it",
                "document": "subscription { ticks(n: 1000000, interval: 2) { rows { number text } } }",
                "rows": "ticks.rows",
                "topic": topic,
            }
        ],
    }


@pytest.mark.slow
async def test_short_tokens_revocation_and_a_deleted_application(
    start_oidc: StartOidc,
    start_reference: StartReference,
    kafka: KafkaCluster,
    tmp_path: Path,
    topic_name: Callable[[], str],
) -> None:
    oidc = await start_oidc(CLIENT, life=4)
    upstream = await start_reference("modern", guard=oidc.guard("header", "Authorization", scope="api"))
    parties, topic = Parties(oidc, upstream), topic_name()
    connector = ConnectorProcess(
        tmp_path,
        configuration(upstream, oidc, kafka, topic),
        env={"E2E_ID": CLIENT.client_id, "E2E_SECRET": CLIENT.secret},
        secrets=lambda: [CLIENT.secret, *parties.let_in],
    )
    async with connector:
        await short_tokens_are_replaced_in_time(connector, parties)
        await a_revoked_token_is_refused_once(connector, parties)
        await a_deleted_application_is_told_and_hammers_nobody(connector, parties)
        acked = await connector.metric("connector_rows_acked_total")
        assert await connector.stop() == 0
    records = await read_all(kafka.bootstrap_servers, topic)
    assert len(records) == acked
    # What was still on its way when the server cut its sockets is lost with them; all else arrived.
    assert parties.sent - 200 <= len(records) <= parties.sent


async def short_tokens_are_replaced_in_time(connector: ConnectorProcess, parties: Parties) -> None:
    await connector.until_metric("connector_sessions_opened_total", at_least(3))
    assert parties.kept_out == []
    # The server says something else to each session, so that nothing of two meets.
    await connector.until_metric("connector_rotations_total", at_least(2), outcome="gap")
    assert await connector.metric("connector_reconnects_total", reason="unauthorized") == 0


async def a_revoked_token_is_refused_once(connector: ConnectorProcess, parties: Parties) -> None:
    """Revoked, and the socket is cut: refused once, then let in with a fresh one."""
    await parties.oidc.order("live", seconds=3600)
    await parties.until_let_in_for_longer_than(60)
    await connector.until_state("it", "live")
    await parties.oidc.revoke(parties.let_in[-1], CLIENT)
    revoked_at = time.monotonic()
    await parties.upstream.order("cut")
    await connector.until_metric("connector_reconnects_total", at_least(1), reason="unauthorized")
    await connector.until_state("it", "live")
    print(f"live {time.monotonic() - revoked_at:.2f} s after the cut")
    assert parties.kept_out == ["invalid_token"]


async def a_deleted_application_is_told_and_hammers_nobody(
    connector: ConnectorProcess, parties: Parties
) -> None:
    """Deleted: the socket stays; once it is cut, nothing helps, and nobody is hammered."""
    await parties.oidc.delete(CLIENT)
    rows = await connector.metric("connector_rows_acked_total")
    await connector.until_metric("connector_rows_acked_total", at_least(rows + 100))
    await parties.upstream.order("cut")
    await connector.until_metric("connector_token_state", at_least(1), state="refused")
    await anyio.sleep(3)
    assert parties.oidc.refusals == ["invalid_client"]
    status, body = await connector.readyz()
    assert status == 200
    assert "invalid_client" in body["token"]["last_error"]
