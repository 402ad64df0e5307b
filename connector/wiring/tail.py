"""Configuration → what `tail` follows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

import anyio
import structlog

from connector import __version__
from connector.config import Config, LoadedConfig
from connector.records.plan import SubscriptionPlan
from connector.records.record_builder import RecordBuilder
from connector.records.record_spec import RecordSpec
from connector.records.topics import TopicTemplate
from connector.refusals import Refusals
from connector.subscription import MemoryBudget, SessionSettings
from connector.tail import Printer, Tail
from connector.task import Shared, SubscriptionRunner, SubscriptionSettings
from connector.telemetry import Metrics, Redactor, SubscriptionMetrics, TokenMetrics
from connector.wiring.rotations import rotation_limiter
from connector.wiring.secrets import learn
from connector.wiring.settings import follow_settings, refusals_of, session_settings
from connector.wiring.token_access import TokenAccess

log = structlog.get_logger(__name__)

PRINTING = 2.0
"""Seconds after the sessions' end in which what they brought may be printed."""


async def run_tail(
    loaded: LoadedConfig,
    plans: Sequence[SubscriptionPlan],
    redactor: Redactor,
    *,
    descriptor: int,
    seconds: float | None,
    limit: int | None,
) -> None:
    """
    Print the rows of ``plans`` to ``descriptor`` until stopped. The brokers are not asked for anything.

    Raises:
        NothingLive: See `Tail.run`.
        CannotPrint: See `Tail.run`.
    """
    config = loaded.config
    learn(loaded, redactor)
    streams = sum(plan.cubes for plan in plans)
    log.warning("streams are open while this runs, and the upstream may bill them", streams=streams)
    metrics = Metrics(version=__version__)
    enough = anyio.Event()
    live: list[str] = []
    async with AsyncExitStack() as stack:
        observer = TokenMetrics(metrics.token_requests, redactor)
        tokens = await TokenAccess.open(loaded, stack, observer)
        printer = Printer(descriptor, limit=limit, done=enough.set)
        session = session_settings(loaded)
        refusals = refusals_of(config)
        shared = Shared(
            keeper=tokens.keeper,
            budget=MemoryBudget(config.inbox.max_bytes),
            rotations=rotation_limiter(config, tokens.keeper),
        )
        runners = [
            SubscriptionRunner(
                _settings(config, plan, session, refusals),
                shared=shared,
                publisher=printer,
                observer=_Live(metrics, plan.name, live),
            )
            for plan in plans
        ]
        await Tail(
            runners,
            printer=printer,
            keeper=tokens.keeper,
            seconds=seconds,
            grace=session.close_timeout + PRINTING,
            enough=enough,
            was_live=lambda: bool(live),
        ).run()


class _Live(SubscriptionMetrics):
    """Notes that a session came about."""

    def __init__(self, metrics: Metrics, name: str, live: list[str]) -> None:
        super().__init__(metrics, name)
        self._subscription = name
        self._live = live

    def session_opened(self) -> None:
        """See `SessionObserver`."""
        super().session_opened()
        self._live.append(self._subscription)


def _settings(
    config: Config, plan: SubscriptionPlan, session: SessionSettings, refusals: Refusals
) -> SubscriptionSettings:
    """As for Kafka, but no field of a row is asked for, so that any row can be shown, repeats too."""
    anything = RecordBuilder(RecordSpec(topic=TopicTemplate("stdout", {})))
    settings = follow_settings(config, plan, session, refusals)
    return replace(
        settings,
        seam=replace(settings.seam, window=None),
        records=anything,
        topics=(),
        headers=(),
        to_kafka=False,
    )
