"""
The connector between servers that nobody here wrote: oidc-provider gives tokens that live seconds, npm
graphql-ws has each connection's token introspected there, and Apache Kafka takes the rows.
"""

import time
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from tests.brokers.cluster import KafkaCluster
from tests.brokers.reader import read_all
from tests.e2e.connector_process import PATIENCE, ConnectorProcess, at_least
from tests.references.fixtures import StartOidc, StartReference
from tests.references.oauth import Client

CLIENT = Client(client_id='+id/=% ":&', secret='+s3cret/=% ":&', auth="basic")


@pytest.mark.slow
async def test_short_tokens_revocation_and_a_deleted_application(
    start_oidc: StartOidc,
    start_reference: StartReference,
    kafka: KafkaCluster,
    tmp_path: Path,
    topic_name: Callable[[], str],
) -> None:
    oidc = await start_oidc(CLIENT, life=4)
    guard = oidc.guard("header", "Authorization", scope="api")
    upstream = await start_reference("modern", guard=guard)
    topic = topic_name()

    def let_in() -> list[str]:
        return [event.facts["token"] for event in upstream.seen("let in")]

    def kept_out() -> list[str]:
        return [event.facts["error"] for event in upstream.seen("kept out")]

    config = {
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
    connector = ConnectorProcess(
        tmp_path,
        config,
        env={"E2E_ID": CLIENT.client_id, "E2E_SECRET": CLIENT.secret},
        secrets=lambda: [CLIENT.secret, *let_in()],
    )
    async with connector:
        await connector.until_metric("connector_sessions_opened_total", at_least(3))
        assert kept_out() == []
        assert await connector.metric("connector_reconnects_total", reason="reopen") >= 2
        assert await connector.metric("connector_reconnects_total", reason="unauthorized") == 0

        # Revoked, and the socket is cut: refused once, then let in with a fresh one.
        await oidc.order("live", seconds=3600)
        with anyio.fail_after(PATIENCE):
            while (await oidc.introspect(let_in()[-1])).get("exp", 0) < time.time() + 60:  # noqa: ASYNC110
                await anyio.sleep(0.1)
        await connector.until_state("it", "live")
        await oidc.revoke(let_in()[-1], CLIENT)
        revoked_at = time.monotonic()
        await upstream.order("cut")
        await connector.until_metric("connector_reconnects_total", at_least(1), reason="unauthorized")
        await connector.until_state("it", "live")
        print(f"live {time.monotonic() - revoked_at:.2f} s after the cut")
        assert kept_out() == ["invalid_token"]

        # Deleted: the socket stays; once it is cut, nothing helps, and nobody is hammered.
        await oidc.delete(CLIENT)
        rows = await connector.metric("connector_rows_acked_total")
        await connector.until_metric("connector_rows_acked_total", at_least(rows + 100))
        await upstream.order("cut")
        await connector.until_metric("connector_token_state", at_least(1), state="refused")
        await anyio.sleep(3)
        assert oidc.refusals == ["invalid_client"]
        status, body = await connector.readyz()
        assert status == 200
        assert "invalid_client" in body["token"]["last_error"]
        acked = await connector.metric("connector_rows_acked_total")
        assert await connector.stop() == 0
    records = await read_all(kafka.bootstrap_servers, topic)
    assert len(records) == acked
    sent = sum(event.facts["sent"]["results"] for event in upstream.closed)
    # What was still on its way when the server cut its sockets is lost with them; all else arrived.
    assert sent - 200 <= len(records) <= sent
