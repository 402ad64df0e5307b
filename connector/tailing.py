"""Configuration → what `tail` follows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

import anyio
import structlog

from connector import __version__
from connector.auth import Keeper
from connector.checkup import learn
from connector.config import Config
from connector.http import HttpClient
from connector.observers import SubscriptionMetrics, TokenMetrics
from connector.records.plan import SubscriptionPlan
from connector.records.record_builder import RecordBuilder
from connector.records.record_spec import RecordSpec
from connector.records.topics import TopicTemplate
from connector.refusals import Refusals
from connector.settings import follow_settings, refusals_of, session_settings, token_source
from connector.subscription import Budget, SessionSettings
from connector.tail import Printer, Tail
from connector.task import Follower, FollowSettings, Pace
from connector.telemetry import Metrics, Redactor

log = structlog.get_logger(__name__)

PRINTING = 2.0
"""Seconds after the sessions' end in which what they brought may be printed."""


async def run_tail(
    config: Config,
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
    learn(config, redactor)
    streams = sum(plan.cubes for plan in plans)
    log.warning("streams are open while this runs, and the upstream may bill them", streams=streams)
    metrics = Metrics(version=__version__)
    enough = anyio.Event()
    live: list[str] = []
    async with AsyncExitStack() as stack:
        peer = config.peers.token
        http = await stack.enter_async_context(HttpClient(tls=peer.tls, proxy=peer.route.proxy))
        source = token_source(config, http)
        keeper = Keeper(source, observer=TokenMetrics(metrics, redactor)) if source else None
        printer = Printer(descriptor, limit=limit, done=enough.set)
        session = session_settings(config)
        refusals = refusals_of(config)
        budget = Budget(config.inbox.max_bytes)
        pace = Pace()
        followers = [
            Follower(
                _settings(config, plan, session, refusals),
                keeper=keeper,
                publisher=printer,
                budget=budget,
                observer=_Live(metrics, plan.name, live),
                pace=pace,
            )
            for plan in plans
        ]
        await Tail(
            followers,
            printer=printer,
            keeper=keeper,
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
        """See `SubscriptionObserver`."""
        super().session_opened()
        self._live.append(self._subscription)


def _settings(
    config: Config, plan: SubscriptionPlan, session: SessionSettings, refusals: Refusals
) -> FollowSettings:
    """As for Kafka, but no field of a row is asked for, so that any row can be shown."""
    anything = RecordBuilder(RecordSpec(topic=TopicTemplate("stdout", {})))
    return replace(
        follow_settings(config, plan, session, refusals),
        records=anything,
        topics=(),
        headers=(),
        to_kafka=False,
    )
