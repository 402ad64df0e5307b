"""Configuration → what `run` runs."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import get_args

from connector import __version__
from connector.api import ApiServer
from connector.config import LoadedConfig, Watch
from connector.herder import Herder
from connector.reload import Outcome, Reload
from connector.subscription import MemoryBudget
from connector.telemetry import (
    BackgroundStream,
    LoopWatch,
    Metrics,
    Redactor,
    ReloadMetrics,
    Summary,
    TokenMetrics,
)
from connector.wiring.health import PublicHealth
from connector.wiring.kafka_access import KafkaAccess
from connector.wiring.offsets import open_offsets
from connector.wiring.secrets import learn
from connector.wiring.tasks import ConfiguredTasks
from connector.wiring.token_access import TokenAccess
from connector.worker import Worker


async def run_worker(
    loaded: LoadedConfig, redactor: Redactor, watch: Watch, logged: BackgroundStream
) -> None:
    """
    Build everything and run until stopped; ``watch`` tells of another configuration, and the log
    goes to ``logged``.

    Raises:
        ConfigError: The topic of offsets cannot be used.
        Undelivered: See `Worker.run`.
        FatalError: See `Worker.run`.
    """
    config = loaded.config
    learn(loaded, redactor)
    metrics = Metrics(version=__version__)
    async with AsyncExitStack() as stack:
        tokens = await TokenAccess.open(loaded, stack, TokenMetrics(metrics.token_requests, redactor))
        observer = TokenMetrics(metrics.kafka_token_requests, redactor)
        kafka = await KafkaAccess.open(loaded, stack, observer)
        offsets = await open_offsets(config, kafka, stack)
        budget = MemoryBudget(config.inbox.max_bytes)
        herder = Herder(
            loaded,
            ConfiguredTasks(
                loaded,
                tokens=tokens,
                kafka=kafka,
                budget=budget,
                metrics=metrics,
                redactor=redactor,
                offsets=offsets,
            ),
        )
        # All of them: a subscription may come to one that has none yet.
        for number in range(config.tasks):
            await herder.start_task(number)
        outcomes = ReloadMetrics(metrics, get_args(Outcome))
        reload = Reload(loaded, watch, herder, outcomes, learn=lambda found: learn(found, redactor))
        health = PublicHealth(
            keeper=tokens.keeper,
            kafka_keeper=kafka.keeper,
            tasks=lambda: herder.tasks,
            budget=budget,
            reload=reload,
        )
        loop = LoopWatch()
        metrics.at_scrape(lambda: health.measure(metrics))
        metrics.at_scrape(lambda: loop.measure(metrics))
        metrics.at_scrape(lambda: logged.measure(metrics))
        api = ApiServer(config.http.host, config.http.port, health, metrics.render, redact=redactor.redact)
        await Worker(
            tasks=herder,
            keepers=[keeper for keeper in (tokens.keeper, kafka.keeper) if keeper is not None],
            api=api,
            drain=config.shutdown.drain,
            chores=[loop.run, Summary(metrics).run, *([reload.run] if reload.is_wanted else [])],
        ).run()
