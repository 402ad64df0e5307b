"""The connector against the npm reference servers of both subprotocols, at their defaults."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.brokers.cluster import KafkaCluster
from tests.brokers.reader import read_all
from tests.e2e.connector_process import ConnectorProcess
from tests.references.servers import ReferenceServer

IDLE = 300.0
"""Seconds: longer than any keep-alive or time-out of either server, of the connector or of a proxy."""


def config(
    server: ReferenceServer, kafka: KafkaCluster, topic: str, document: str, rows: str
) -> dict[str, Any]:
    return {
        "name": "reference",
        "endpoint": {"preset": "generic", "url": server.url},
        "kafka": {"bootstrap_servers": kafka.bootstrap_servers},
        "subscriptions": [{"name": "it", "document": document, "rows": rows, "topic": topic}],
    }


@pytest.fixture(params=["modern", "legacy"])
def server(request: pytest.FixtureRequest) -> ReferenceServer:
    reference: ReferenceServer = request.getfixturevalue(f"{request.param}_reference")
    return reference


async def test_rows_arrive(
    server: ReferenceServer, kafka: KafkaCluster, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    topic = topic_name()
    document = "subscription { ticks(n: 500, interval: 1) { rows { number text } } }"
    async with ConnectorProcess(tmp_path, config(server, kafka, topic, document, "ticks.rows")) as connector:
        await connector.until_metric("connector_rows_acked_total", lambda acked: acked >= 100)
        assert await connector.stop() == 0
    records = await read_all(kafka.bootstrap_servers, topic)
    assert all((record.value or b"").startswith(b'{"number":') for record in records)


async def test_a_stream_that_completes_is_opened_again(
    server: ReferenceServer, kafka: KafkaCluster, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    document, rows = "subscription { greetings }", "greetings"
    async with ConnectorProcess(tmp_path, config(server, kafka, topic_name(), document, rows)) as connector:
        await connector.until_metric(
            "connector_reconnects_total", lambda count: count >= 2, reason="completed"
        )
        await connector.until_metric("connector_rows_acked_total", lambda acked: acked >= 10)
        assert await connector.stop() == 0


@pytest.mark.slow
async def test_errors_beside_data_are_counted_and_the_rows_published(
    server: ReferenceServer, kafka: KafkaCluster, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    document, rows = "subscription { breaks }", "breaks"
    async with ConnectorProcess(tmp_path, config(server, kafka, topic_name(), document, rows)) as connector:
        await connector.until_metric("connector_result_errors_total", lambda count: count >= 1)
        await connector.until_metric("connector_rows_acked_total", lambda acked: acked >= 1)
        assert await connector.stop() == 0


@pytest.mark.takes(310)
@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_five_idle_minutes_bring_no_reconnect(
    modern_reference: ReferenceServer,
    legacy_reference: ReferenceServer,
    kafka: KafkaCluster,
    tmp_path: Path,
    topic_name: Callable[[], str],
) -> None:
    servers = (modern_reference, legacy_reference)
    running: list[ConnectorProcess] = []
    for number, server in enumerate(servers):
        directory = tmp_path / str(number)
        directory.mkdir()
        whole = config(server, kafka, topic_name(), "subscription { quiet }", "quiet")
        running.append(ConnectorProcess(directory, whole))
    async with running[0], running[1]:
        for connector in running:
            await connector.until_state("it", "live")
        await anyio.sleep(IDLE)  # the promise is about time that passes
        for server, connector in zip(servers, running, strict=True):
            assert await connector.state("it") == "live"
            assert await connector.metric("connector_reconnects_total") == 0
            assert server.connections == 1
            assert await connector.stop() == 0
