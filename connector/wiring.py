"""Configuration → objects. The only place that knows every room."""

from __future__ import annotations

from contextlib import AsyncExitStack

import structlog

from connector import __version__
from connector.api import ApiServer
from connector.auth import (
    ClientCredentials,
    Keeper,
    StaticToken,
    secrets_of,
)
from connector.config import Change, Config, Part, Watch
from connector.http import HttpClient
from connector.kafka_access import KafkaAccess
from connector.observers import (
    KafkaMetrics,
    KafkaTokenMetrics,
    PublicHealth,
    ReloadMetrics,
    SubscriptionMetrics,
    TokenMetrics,
)
from connector.publish import DeadLetters, Publisher, Sender
from connector.records.plan import SubscriptionPlan
from connector.reload import Reload
from connector.settings import (
    dead_letter_topic_of,
    follow_settings,
    publish_settings,
    refusals_of,
    revealed,
    session_settings,
    target_of,
    token_source,
)
from connector.subscription import (
    Budget,
)
from connector.task import Follower, Pace, Task, bucket
from connector.telemetry import LoopWatch, Metrics, Redactor, Summary, configure_logs
from connector.worker import Worker

log = structlog.get_logger(__name__)


async def run_worker(config: Config, redactor: Redactor, watch: Watch) -> None:
    """
    Build everything and run until stopped; ``watch`` tells of another configuration.

    Raises:
        Undelivered: See `Worker.run`.
        FatalError: See `Worker.run`.
    """
    metrics = Metrics(version=__version__)
    async with AsyncExitStack() as stack:
        peer = config.peers.token
        http = await stack.enter_async_context(HttpClient(tls=peer.tls, proxy=peer.route.proxy))
        kafka = await KafkaAccess.open(config, stack, KafkaTokenMetrics(metrics, redactor))
        running = Running(config, http=http, kafka=kafka, metrics=metrics, redactor=redactor)
        reload = Reload(config, watch, running, ReloadMetrics(metrics))
        health = PublicHealth(
            keeper=running.keeper,
            kafka_keeper=kafka.keeper,
            tasks=running.tasks,
            budget=running.budget,
            reload=reload,
        )
        loop = LoopWatch()
        metrics.at_scrape(lambda: health.measure(metrics))
        metrics.at_scrape(lambda: loop.measure(metrics))
        api = ApiServer(config.http.host, config.http.port, health, metrics.render, redact=redactor.redact)
        await Worker(
            tasks=running.tasks,
            keepers=[keeper for keeper in (running.keeper, kafka.keeper) if keeper is not None],
            api=api,
            drain=config.shutdown.drain,
            chores=[loop.run, Summary(metrics).run, *([reload.run] if reload.is_wanted else [])],
        ).run()


class Running:
    """What runs of a configuration, and takes another one. Satisfies reload's `Running`."""

    def __init__(
        self, config: Config, *, http: HttpClient, kafka: KafkaAccess, metrics: Metrics, redactor: Redactor
    ) -> None:
        self._http = http
        self._kafka = kafka
        self._metrics = metrics
        self._redactor = redactor
        self.learn(config)
        self._session = session_settings(config)
        self._refusals = refusals_of(config)
        self._source = source = token_source(config, http)
        self.keeper = Keeper(source, observer=TokenMetrics(metrics, redactor)) if source else None
        self.budget = Budget(config.inbox.max_bytes)
        self._pace = Pace()
        # All of them: a subscription may come to one that has none yet.
        self.tasks = [
            Task(
                number,
                (),
                Publisher(kafka.settings, publish_settings(config), KafkaMetrics(metrics)),
                gone=metrics.forget_subscription,
            )
            for number in range(config.tasks)
        ]
        self._dead_letters = [_dead_letters(config, task) for task in self.tasks]
        for plan in config.plans:
            self._follow(config, plan)

    def learn(self, config: Config) -> None:
        """See `reload.Running`."""
        for secret in config.secrets():
            self._redactor.add(secret)
        for oauth in (config.oauth, config.kafka.security.oauth):
            if oauth is not None:
                for secret in secrets_of(oauth.client_id, oauth.client_secret.reveal()):
                    self._redactor.add(secret)

    def apply(self, config: Config, change: Change) -> None:
        """See `reload.Running`."""
        if Part.LOG in change.parts:
            configure_logs(config.log.level, config.log.format, self._redactor)
        if change.parts & {Part.TOKEN, Part.ENDPOINT}:
            self._ask_otherwise(config)  # certificates and proxies are inherited from the endpoint
        if Part.ENDPOINT in change.parts:
            self._session = session_settings(config)
            for follower in (follower for task in self.tasks for follower in task.followers):
                follower.retarget(target_of(config), self._session)
        if Part.KAFKA in change.parts:
            settings = self._kafka.replace(config)
            for task in self.tasks:
                task.publisher.reconfigure(settings)
        # First who goes: an account may have room for so many streams only.
        for name in change.removed:
            self._task(name).remove(name)
        for plan in config.plans:
            if plan.name in change.changed or plan.name in change.added:
                warn_of(plan)
                self._follow(config, plan)

    def _ask_otherwise(self, config: Config) -> None:
        source, peer = self._source, config.peers.token
        self._http.reconfigure(tls=peer.tls, proxy=peer.route.proxy)
        if isinstance(source, StaticToken) and config.token is not None:
            source.replace(config.token.reveal())
        elif isinstance(source, ClientCredentials) and config.oauth is not None and self.keeper is not None:
            secret = config.oauth.client_secret.reveal()
            source.replace(
                client_id=config.oauth.client_id,
                client_secret=secret,
                headers=revealed(config.oauth.headers),
            )
            self.keeper.renewed()

    def _follow(self, config: Config, plan: SubscriptionPlan) -> None:
        task = self._task(plan.name)
        task.add(
            Follower(
                follow_settings(config, plan, self._session, self._refusals),
                keeper=self.keeper,
                publisher=task.publisher,
                budget=self.budget,
                observer=SubscriptionMetrics(self._metrics, plan.name),
                dead_letters=self._dead_letters[task.number],
                pace=self._pace,
                hide=self._redactor.hide_in,
            )
        )

    def _task(self, name: str) -> Task:
        return self.tasks[bucket(name, len(self.tasks))]


def warn_of(plan: SubscriptionPlan) -> None:
    """Log the doubts about a document."""
    for warning in plan.warnings:
        log.warning("document", subscription=plan.name, warning=warning)


def _dead_letters(config: Config, task: Task) -> DeadLetters | None:
    name = dead_letter_topic_of(config)
    if name is None:
        return None
    return DeadLetters(task.publisher, name, Sender(connector=config.name, task=task.number))
