"""Promise 3: the events topic tells when each period began and ended in which nothing was received."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio
import msgspec

from tests.brokers.cluster import KafkaCluster
from tests.brokers.reader import Record, read_all
from tests.e2e.conftest import OpenStage
from tests.e2e.connector_process import at_least
from tests.e2e.reloading import flowing
from tests.e2e.stage import Stage, open_stage
from tests.standins.behaviour import Close, Fin, InConnection, Rst
from tests.standins.feed import Feed

jsonschema: Any = import_module("jsonschema")  # it has no types

SCHEMA = Path(__file__).parents[2] / "schemas/event.schema.json"
EVENTS = "connector_gap_events_total"
TROUBLES: tuple[InConnection, ...] = (Fin(), Rst(), Close(1012))
SLACK = 1.0
"""Seconds that an event of the network may take on a machine with much to do."""


def events_topic(stage: Stage) -> str:
    return f"{stage.topic_prefix}.events"


async def written(stage: Stage) -> list[Record]:
    return await read_all(stage.kafka.bootstrap_servers, events_topic(stage))


def said(records: list[Record], name: str) -> list[dict[str, Any]]:
    """What the events of one subscription say, each as the schema has it."""
    validator = jsonschema.Draft202012Validator(msgspec.json.decode(SCHEMA.read_bytes()))
    found = [msgspec.json.decode(record.value or b"") for record in records if record.key == name.encode()]
    for event in found:
        validator.validate(event)
    return found


async def test_each_lost_session_is_a_pair_of_events_and_a_stop_is_a_beginning(open_with: OpenStage) -> None:
    async with open_with("bsc", "eth") as stage:
        began_ms = time.time() * 1000
        config = stage.config(events_topic=events_topic(stage))
        name = config["name"].encode()
        async with stage.start(config) as connector:
            await flowing(connector, "bsc", "eth")
            for times, trouble in enumerate(TROUBLES, start=1):
                assert stage.upstream.begin(trouble, feed="bsc") == 1
                await connector.until_metric(
                    EVENTS, at_least(times), subscription="bsc", event="gap_unfilled"
                )
            await flowing(connector, "bsc", "eth")
            assert await connector.metric(EVENTS, subscription="eth") == 0
            assert await connector.stop() == 0
            gaps = [line for line in connector.logs("gap declared") if line["subscription"] == "bsc"]
        ended_ms = time.time() * 1000
        records = await written(stage)
    *pairs, last = events = said(records, "bsc")
    assert [event["event"] for event in pairs] == ["gap_opened", "gap_unfilled"] * 3
    for opened, over, line in zip(pairs[::2], pairs[1::2], gaps, strict=True):
        assert (opened["id"], opened["since"]) == (over["id"], over["since"])
        assert opened["reason"] == over["reason"] == line["reason"]
        assert began_ms - 1 <= opened["since"] <= over["until"] <= ended_ms + 1
        assert abs(over["until"] - over["since"] - line["seconds"] * 1000) < 50
    assert len({event["id"] for event in events}) == 4
    for final in (last, *said(records, "eth")):
        assert (final["event"], final["reason"]) == ("gap_opened", "stop")
    assert {record.headers for record in records if record.key == b"eth"} == {
        (("connector", name), ("subscription", b"eth"))
    }


async def test_what_was_sent_to_nobody_was_sent_within_a_gap(
    kafka: KafkaCluster, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    feed = Feed("bsc", rate=1000)
    async with open_stage(kafka, tmp_path, topic_name(), feed, life=6.0) as stage:
        config = stage.config(events_topic=events_topic(stage), endpoint={"rotation": "reopen"})
        async with stage.start(config) as connector:
            await flowing(connector, "bsc")
            await connector.until_metric(EVENTS, at_least(3), event="gap_unfilled")
            await flowing(connector, "bsc")
            await anyio.sleep(0.5)
            assert await connector.stop() == 0
        assert not (await stage.audit(feed)).missing
        gaps = [event for event in said(await written(stage), "bsc") if event["until"] is not None]
    assert {event["reason"] for event in gaps} == {"reopen"}
    received = feed.ledger.written
    to_nobody = set(range(min(received), max(received))) - received
    assert to_nobody
    ahead = time.time() - time.monotonic()
    for number in to_nobody:
        at = feed.ledger.emitted_at(number) + ahead
        assert any(gap["since"] / 1000 - SLACK <= at <= gap["until"] / 1000 + SLACK for gap in gaps), number
