"""One run: the stage, the faults, the calm after them, and the count."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from tests.brokers.cluster import FAST_FAILOVER, KafkaCluster
from tests.brokers.jars import kafka_classpath
from tests.chaos.connector import START_WITHIN, RestartedConnector
from tests.chaos.faults import Faults
from tests.chaos.options import Options
from tests.chaos.schedule import Fault, schedule
from tests.chaos.unkind import be_unkind
from tests.e2e.stage import DOCUMENT, Stage, open_stage
from tests.standins.behaviour import LEGACY, MODERN
from tests.standins.feed import Feed
from tests.standins.proxy import FaultProxy
from tests.standins.rows import RowStyle

NAMES = ("bsc", "eth", "base", "arbitrum", "optimism", "matic", "tron", "solana")
IDENTIFIED = DOCUMENT.replace("Log { Index }", "Call { Index } Log { Index }")
"""With all that tells the rows of EVM.DEXTrades apart."""
EVENTS = "chaos.events"

KEEPALIVE, KEEPALIVE_TIMEOUT = 0.7, 3.0
DRAIN = 80.0
"""Seconds: a Kafka that was killed is back within them, and what a stopped connector held is there."""
HELD = 8 << 20
"""Bytes that a connection which lags may have on the way."""
HEAL_WITHIN, CALM = 45.0, 2.0
"""Seconds in which all has to be well again when no fault comes any more, and of rows after that."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is left of a run for the count. ``clock`` is unix time less monotonic time, in seconds."""

    stage: Stage
    connector: RestartedConnector
    faults: Faults
    clock: float
    is_healed: bool


async def run(
    options: Options, directory: Path, *, say: Callable[[str], None], count: Callable[[Scene], Any]
) -> Any:
    """Let it all happen, and return what ``count`` makes of it while Kafka still runs."""
    say("starting Apache Kafka")
    cluster = await anyio.to_thread.run_sync(
        lambda: KafkaCluster(directory / "kafka", kafka_classpath(), config=FAST_FAILOVER)
    )
    async with AsyncExitStack() as stack:
        stack.callback(cluster.stop)
        await anyio.to_thread.run_sync(cluster.start)
        feeds = [
            Feed(name, rate=0.0, row_style=RowStyle(row_bytes=1)) for name in NAMES[: options.subscriptions]
        ]
        stage = await stack.enter_async_context(
            open_stage(cluster, directory, "chaos", *feeds, life=options.token_life)
        )
        stage.upstream.behave(keepalive_interval=KEEPALIVE, snapshot_rows=options.snapshot)
        proxy = await stack.enter_async_context(FaultProxy(stage.upstream.port))
        proxy.held = HELD
        config = configuration(stage, options, port=proxy.port)
        connector = await stack.enter_async_context(RestartedConnector(lambda: stage.start(config)))
        faults = Faults(stage, proxy, connector, waits_for_calm=not options.absence_is_declared, say=say)
        is_healed = await _happen(options, faults, feeds, connector, say)
        clock = time.time() - time.monotonic()
        scene = Scene(stage=stage, connector=connector, faults=faults, clock=clock, is_healed=is_healed)
        return await count(scene)


async def _happen(
    options: Options,
    faults: Faults,
    feeds: list[Feed],
    connector: RestartedConnector,
    say: Callable[[str], None],
) -> bool:
    """All that happens; return whether all was well again in the end."""
    upstream = faults.upstream
    say("starting the connector")
    if not await faults.until_calm(START_WITHIN):
        raise TimeoutError("the connector did not come up: " + connector.current.process.text[-3000:])
    for feed in feeds:
        feed.rate = options.rate
    planned = schedule(
        options.kinds,
        seed=options.seed,
        seconds=options.seconds,
        every=options.every,
        subscriptions=options.subscriptions,
    )
    async with anyio.create_task_group() as beside:
        beside.start_soon(connector.revive)
        beside.start_soon(lambda: be_unkind(upstream, seed=options.seed, repeats=options.repeats))
        began = anyio.current_time()
        async with anyio.create_task_group() as group:
            for fault in planned:
                group.start_soon(_at, began + fault.at, faults, fault)
            group.start_soon(anyio.sleep_until, began + options.seconds)
        say("calm")
        is_healed = await faults.until_calm(HEAL_WITHIN)
        await anyio.sleep(CALM)
        beside.cancel_scope.cancel()
    for feed in feeds:
        feed.rate = 0.0
    say("stopping the connector")
    await connector.end(signal.SIGTERM)
    return is_healed


async def _at(moment: float, faults: Faults, fault: Fault) -> None:
    await anyio.sleep_until(moment)
    await faults.do(fault)


def configuration(stage: Stage, options: Options, *, port: int) -> Mapping[str, Any]:
    """The connector's, which takes little time for what takes long in production."""
    subprotocol = options.subprotocol or random.Random(options.seed).choice((MODERN, LEGACY))
    endpoint: dict[str, Any] = {
        "url": f"ws://127.0.0.1:{port}/graphql",
        "subprotocol": subprotocol,
        "keepalive_timeout": f"{KEEPALIVE_TIMEOUT}s",
        "open_timeout": "3s",
        "ack_timeout": "3s",
        # On a busy machine what the peer sent before its Close is long on its way, and is owed all the same.
        "close_timeout": "20s",
    }
    more: dict[str, Any] = {}
    if options.rotation is not None:
        endpoint["rotation"] = options.rotation
    if options.events_topic:
        more["events_topic"] = EVENTS
    document = IDENTIFIED if options.identity else DOCUMENT
    return stage.config(
        endpoint=endpoint,
        delivery=options.delivery,
        kafka={
            "bootstrap_servers": stage.kafka.bootstrap_servers,
            "producer": {"request_timeout": "5s"},
        },
        shutdown={"drain": f"{DRAIN:g}s"},
        subscriptions=[stage.subscription(feed, document=document) for feed in stage.upstream.feeds.values()],
        **more,
    )
