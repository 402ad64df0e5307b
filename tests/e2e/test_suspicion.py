"""Promise 6: a session that lives and brings nothing any more is found by itself, and told of."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import anyio
import pytest

from tests.brokers.cluster import KafkaCluster
from tests.e2e.recoveries import noted
from tests.e2e.stage import open_stage
from tests.standins.behaviour import InBandError, InConnection, Silence
from tests.standins.feed import Feed

SILENT: tuple[InConnection, ...] = (Silence(keepalive=True),)
FAILED: tuple[InConnection, ...] = (InBandError(form="errors", message="being restarted"), *SILENT)
HABIT = 30.0
"""Seconds of rows after which it is known how long silence usually lasts."""
WITHIN = 60.0


def at(text: object) -> float:
    return datetime.fromisoformat(str(text)).timestamp()


@pytest.mark.slow
@pytest.mark.takes(80)
@pytest.mark.parametrize("rotation", ["overlap", "reopen"])
@pytest.mark.parametrize("how", [SILENT, FAILED], ids=["keep-alives", "errors, then keep-alives"])
async def test_a_session_of_200_rows_a_second_that_brings_no_more_is_replaced_within_a_minute(
    kafka: KafkaCluster,
    tmp_path: Path,
    topic_name: Callable[[], str],
    rotation: str,
    how: tuple[InConnection, ...],
) -> None:
    feed = Feed("bsc", rate=200)
    async with open_stage(kafka, tmp_path, topic_name(), feed) as stage:
        stage.upstream.behave(keepalive_interval=2.0)
        config = stage.config(endpoint={"rotation": rotation})
        async with stage.start(config) as connector:
            await connector.until_state("bsc", "live")
            await anyio.sleep(HABIT)
            for trouble in how:
                stage.upstream.begin(trouble, feed="bsc")
            silent_at, since = time.time(), time.monotonic()
            received = await connector.metric("connector_rows_received_total")
            await connector.until_metric(
                "connector_rows_received_total", lambda rows: rows > received + 500, within=2 * WITHIN
            )
            took = time.monotonic() - since
            after = "" if how == SILENT else " after errors"
            noted(f"silence with keep-alives{after}, {rotation}", took)
            assert took < WITHIN
            # With a reopen it is known only once the next session has delivered for a while.
            await connector.until(
                lambda: any(at(gap["since"]) < silent_at + 1 for gap in connector.logs("gap declared")),
                what="gap from its last row on",
            )
            assert await connector.stop() == 0
        audit = await stage.audit(feed)
    assert not audit.missing
    assert not audit.doubled
