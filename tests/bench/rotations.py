"""
``python -m tests.bench.rotations``: what a topic shows of the ends of tokens.

Connectors run at the same time, each with a feed of numbered rows of its own, on Apache Kafka: both
subprotocols, rows with an identity and without one, and tokens that end again and again; and one whose token
outlives the run, for comparison. Rows are counted from outside, and so is the silence between two rows, by
the broker's clock. Ends with one JSON object on stdout; exit code 1 says that a row is lost or doubled, or
that a second was uncovered.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from rich.console import Console

from tests.brokers.admin import create_topic
from tests.brokers.cluster import KafkaCluster
from tests.brokers.jars import kafka_classpath
from tests.brokers.reader import read_all
from tests.e2e.connector_process import ConnectorProcess
from tests.e2e.stage import DOCUMENT, Stage, open_stage
from tests.standins.feed import Feed
from tests.standins.rows import row_number

BY_BROKER = {"message.timestamp.type": "LogAppendTime"}
OUTCOMES = ("joined", "gap", "unproved", "new_ended", "old_ended", "abandoned")
WITHOUT_END = 86_400.0
"""Seconds that the token of the comparison lives."""

console = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 140)


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """One of the connectors that are compared. ``life`` is that of its tokens, in seconds."""

    name: str
    life: float
    subprotocol: str = "graphql-transport-ws"
    by_identity: bool = True

    def subscription(self, stage: Stage, feed: Feed) -> dict[str, Any]:
        """That of ``feed``; without an identity it does not select what the preset knows rows by."""
        if self.by_identity:
            return stage.subscription(feed, identity=["Transaction.Hash"])
        return stage.subscription(feed, document=DOCUMENT.replace("Log { Index }", ""))


def arms(life: float) -> Sequence[Arm]:
    """Those that are compared."""
    return (
        Arm(name="modern, by identity", life=life),
        Arm(name="modern, by content", life=life, by_identity=False),
        Arm(name="legacy, by identity", life=life, subprotocol="graphql-ws"),
        Arm(name="legacy, by content", life=life, subprotocol="graphql-ws", by_identity=False),
        Arm(name="no rotation", life=WITHOUT_END),
    )


async def run(
    kafka: KafkaCluster, arm: Arm, directory: Path, arguments: argparse.Namespace, reading: anyio.Lock
) -> dict[str, Any]:
    """Let the connector of ``arm`` run, and return what the topic shows."""
    prefix = arm.name.replace(", ", "-").replace(" ", "-")
    feeds = [Feed(f"feed{number}", rate=0) for number in range(arguments.subscriptions)]
    directory = directory / prefix
    directory.mkdir()
    async with open_stage(kafka, directory, prefix, *feeds, life=arm.life) as stage:
        for feed in feeds:
            await create_topic(
                kafka.bootstrap_servers, stage.topic(feed.name), partitions=4, config=BY_BROKER
            )
        subscriptions = [arm.subscription(stage, feed) for feed in feeds]
        config = stage.config(endpoint={"subprotocol": arm.subprotocol}, subscriptions=subscriptions)
        most = 0
        async with stage.start(config) as connector:
            for feed in feeds:
                await connector.until_state(feed.name, "live")
            requested = len(stage.oauth.requests)
            for feed in feeds:
                feed.rate = arguments.rate
            ends_at = anyio.current_time() + arguments.seconds
            while anyio.current_time() < ends_at:
                await anyio.sleep(0.2)
                most = max(most, len(stage.upstream.live_sessions) - len(feeds))
            for feed in feeds:
                feed.rate = 0
            emitted = sum(feed.emitted for feed in feeds)
            await settle_acked(connector, emitted)
            told = await _told(connector)
            exit_code = await connector.stop()
        async with reading:
            shown = [await _shown(stage, feed) for feed in feeds]
        silences = sorted(silence for one in shown for silence in one.pop("silences"))
        return {
            "arm": arm.name,
            "sent": emitted,
            **{key: sum(one[key] for one in shown) for key in ("lost", "doubled")},
            **told,
            "two_sessions_at_most": most,
            "token_requests": len(stage.oauth.requests) - requested,
            "p50_ms": _quantile(silences, 0.5),
            "p99_ms": _quantile(silences, 0.99),
            "max_ms": silences[-1] if silences else None,
            "violations": len(stage.upstream.violations),
            "exit": exit_code,
        }


async def settle_acked(connector: ConnectorProcess, emitted: int) -> None:
    """Wait until every row that was sent is acknowledged, or for a while."""
    with anyio.move_on_after(30.0):
        while await connector.metric("connector_rows_acked_total") < emitted:  # noqa: ASYNC110 - it is scraped
            await anyio.sleep(0.5)


async def _told(connector: ConnectorProcess) -> Mapping[str, Any]:
    rotations = {
        outcome: int(await connector.metric("connector_rotations_total", outcome=outcome))
        for outcome in OUTCOMES
    }
    return {
        "seconds_uncovered": round(await connector.metric("connector_uncovered_seconds_total"), 3),
        "reconnects": int(await connector.metric("connector_reconnects_total")),
        "rotations": {outcome: count for outcome, count in rotations.items() if count},
    }


async def _shown(stage: Stage, feed: Feed) -> dict[str, Any]:
    """What the topic of ``feed`` holds; silences in ms, between rows of whatever partition."""
    records = await read_all(stage.kafka.bootstrap_servers, stage.topic(feed.name))
    numbers = [row_number(record.value or b"") for record in records]
    moments = sorted(record.timestamp_ms for record in records)
    return {
        "lost": feed.emitted - len(set(numbers) & set(range(feed.emitted))),
        "doubled": len(numbers) - len(set(numbers)),
        "silences": [later - earlier for earlier, later in itertools.pairwise(moments) if later > earlier],
    }


def _quantile(ordered: Sequence[int], share: float) -> int | None:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None


async def measured(
    kafka: KafkaCluster, directory: Path, arguments: argparse.Namespace
) -> list[dict[str, Any]]:
    """All arms at once."""
    found: list[dict[str, Any]] = []
    reading = anyio.Lock()  # a topic takes hundreds of megabytes

    async def one(arm: Arm) -> None:
        found.append(await run(kafka, arm, directory, arguments, reading))
        console.print(json.dumps(found[-1]))

    async with anyio.create_task_group() as group:
        for arm in arms(arguments.life):
            if arguments.arm in arm.name:
                group.start_soon(partial(one, arm))
    return found


def main() -> None:
    """Measure, and end with the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.rotations", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--life", type=float, default=5.0, help="of a token, in seconds")
    parser.add_argument("--rate", type=float, default=1000.0, help="rows a second of each subscription")
    parser.add_argument("--subscriptions", type=int, default=1)
    parser.add_argument("--arm", default="", help="only those whose name holds this")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        kafka = stack.enter_context(KafkaCluster(directory / "kafka", kafka_classpath()))
        found = anyio.run(measured, kafka, directory, arguments)
    bad = [
        one["arm"]
        for one in found
        if one["lost"] or one["doubled"] or one["seconds_uncovered"] or one["exit"]
    ]
    print(json.dumps({"arms": found, "is_good": not bad}))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
