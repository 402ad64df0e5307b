"""A token's end makes no gap: every row that was emitted is in the topic once."""

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from tests.brokers.cluster import KafkaCluster
from tests.e2e.stage import open_stage
from tests.slow import first_of
from tests.standins.feed import Feed
from tests.standins.rows import row_number

SUBPROTOCOLS = ("graphql-transport-ws", "graphql-ws")


@pytest.mark.takes(60)
@pytest.mark.parametrize("subprotocol", first_of(SUBPROTOCOLS))
async def test_with_tokens_that_live_twenty_seconds_every_row_is_there_once(
    kafka: KafkaCluster, tmp_path: Path, topic_name: Callable[[], str], subprotocol: str
) -> None:
    feed = Feed("bsc", rate=0)
    async with open_stage(kafka, tmp_path, topic_name(), feed, life=20) as stage:
        config = stage.config(endpoint={"subprotocol": subprotocol, "rotation": "overlap"})
        async with stage.start(config) as connector:
            await connector.until_state("bsc", "live")
            feed.rate = 1000
            await connector.until_metric("connector_rotations_total", lambda count: count >= 3, within=120)
            feed.rate = 0
            await connector.until_metric(
                "connector_rows_acked_total", lambda acked: acked >= feed.emitted, within=30
            )
            await anyio.sleep(1)
            metrics = {
                outcome: await connector.metric("connector_rotations_total", outcome=outcome)
                for outcome in ("joined", "gap", "unproved", "new_ended", "old_ended")
            }
            assert await connector.metric("connector_reconnects_total") == 0
            assert await connector.stop() == 0
        numbers = [row_number(record.value or b"") for record in await stage.records(feed)]
        assert not stage.upstream.violations
    assert sorted(number for number in numbers if number is not None) == list(range(feed.emitted))
    assert metrics["joined"] > 0, metrics
    # Where that is not proved in time, as on a busy machine, a gap is declared although nothing is missing.
    assert metrics["old_ended"] == metrics["new_ended"] == 0, metrics
