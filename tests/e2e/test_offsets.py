"""Offsets, seen from outside: a killed process leaves a gap that the next one declares."""

from __future__ import annotations

import json
import signal
import time
from typing import Any

import pytest

from connector.kafka import KafkaSettings
from connector.publish.offsets import OffsetRecord, OffsetsTopic
from tests.brokers.admin import create_topic
from tests.e2e.command import checks, run_command
from tests.e2e.connector_process import ConnectorProcess, at_least
from tests.e2e.stage import Stage

ACKED = "connector_rows_acked_total"


async def listed(stage: Stage, config: dict[str, Any]) -> dict[str, Any]:
    done = await run_command(stage, config, "offsets", "list", "--json")
    assert done.returncode == 0, done.stderr
    return {one["subscription"]: one for one in json.loads(done.stdout)["offsets"]}


async def written(connector: ConnectorProcess) -> None:
    await connector.until_metric("connector_offsets_written_total", at_least(2))


async def test_the_time_after_a_kill_is_declared_from_before_it_on(stage: Stage) -> None:
    config = stage.config(offsets=True)
    async with stage.start(config) as connector:
        await connector.until_state("bsc", "live")
        await written(connector)
        _, body = await connector.readyz()
        assert body["offsets"] == {"state": "kept", "error": None}
        assert await connector.metric("connector_gaps_total") == 0
        connector.send(signal.SIGKILL)
        await connector.ended()
        killed_at = time.time()
    before = (await listed(stage, config))["bsc"]
    assert killed_at * 1000 - 60_000 < before["covered_until"] <= killed_at * 1000
    async with stage.start(config) as connector:
        await connector.until_state("bsc", "live")
        (line,) = connector.logs("gap declared")
        assert line["reason"] == "absence"
        assert line["seconds"] == pytest.approx(time.time() - before["covered_until"] / 1000, abs=30)
        assert await connector.metric("connector_gaps_total") == 1
        assert await connector.metric("connector_uncovered_seconds_total") >= line["seconds"] - 0.01
        assert await connector.stop() == 0
    stopped = (await listed(stage, config))["bsc"]
    assert stopped["open"] == []
    assert stopped["age_seconds"] < 60


async def test_a_topic_that_cannot_be_used_ends_run_with_the_reason_and_check_names_it(stage: Stage) -> None:
    name = f"{stage.topic_prefix}.offsets"
    await create_topic(stage.kafka.bootstrap_servers, name, config={"cleanup.policy": "delete"})
    async with stage.start(stage.config(offsets=True)) as connector:
        assert await connector.ended() == 2
        assert "cleanup.policy=compact" in connector.text
    done = await run_command(stage, stage.config(offsets=True), "check", "--json")
    assert done.returncode == 3
    assert checks(done)[name, "cleanup policy"]["outcome"] == "failed"


async def test_rows_come_without_the_topic_and_check_names_what_to_create(stage: Stage) -> None:
    await create_topic(stage.kafka.bootstrap_servers, stage.topic("bsc"), partitions=3)
    config = stage.config(offsets=True, topics={"create": False})
    done = await run_command(stage, config, "check", "--json")
    assert done.returncode == 0, done.stdout
    missing = checks(done)[f"{stage.topic_prefix}.offsets", "exists"]
    assert (missing["outcome"], missing["needed"]) == ("failed", False)
    assert "cleanup.policy=compact and 1 partition" in missing["detail"]
    async with stage.start(config) as connector:
        await connector.until_metric(ACKED, at_least(100))
        _, body = await connector.readyz()
        assert body["offsets"]["state"] == "not_kept"
        assert "does not exist" in body["offsets"]["error"]
        assert len(connector.logs("offsets are not kept")) == 1
        assert await connector.metric("connector_offsets_state", state="not_kept") == 1
        assert await connector.stop() == 0


async def test_offsets_are_reset_and_deleted_from_outside(stage: Stage) -> None:
    config = stage.config(offsets=True)
    store = OffsetsTopic(
        KafkaSettings(bootstrap_servers=stage.kafka.bootstrap_servers, client_id="test"),
        connector=stage.topic_prefix,
        tasks=1,
        replication_factor=-1,
    )
    assert (await run_command(stage, config, "offsets", "list")).returncode == 3
    async with store:
        await store.read(0)
        await store.write(0, {"bsc": OffsetRecord(covered_until=5), "gone": OffsetRecord(covered_until=6)})
    found = await listed(stage, config)
    assert (found["bsc"]["covered_until"], found["bsc"]["configured"]) == (5, True)
    assert (found["gone"]["covered_until"], found["gone"]["configured"]) == (6, False)
    unasked = await run_command(stage, config, "offsets", "reset", "--to", "now", "--all")
    assert unasked.returncode == 2
    assert "--yes" in unasked.stderr
    to = "2024-01-01T00:00:00Z"
    reset = await run_command(stage, config, *f"offsets reset --subscription bsc --to {to} --yes".split())
    assert reset.returncode == 0, reset.stderr
    assert (await listed(stage, config))["bsc"]["covered_until"] == 1_704_067_200_000
    deleted = await run_command(stage, config, "offsets", "delete", "--all", "--yes")
    assert deleted.returncode == 0, deleted.stderr
    assert {name: one["covered_until"] for name, one in (await listed(stage, config)).items()} == {
        "bsc": None
    }


async def test_while_a_connector_runs_nothing_is_changed(stage: Stage) -> None:
    config = stage.config(offsets=True)
    async with stage.start(config) as connector:
        await connector.until_state("bsc", "live")
        await written(connector)
        refused = await run_command(stage, config, "offsets", "delete", "--all", "--yes")
        assert refused.returncode == 1
        assert "stop it" in refused.stderr
        assert await connector.stop() == 0
    assert (await listed(stage, config))["bsc"]["covered_until"]
