"""Configuration → objects. The only place that knows every room."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack

import structlog

from connector import __version__
from connector.api import ApiServer
from connector.auth import (
    ClientCredentials,
    Keeper,
    StaticToken,
    TokenFile,
    TokenSource,
    secrets_of,
)
from connector.config import Change, Config, Part, Secret, Watch
from connector.http import HttpClient
from connector.kafka import NewTopics
from connector.kafka_access import KafkaAccess
from connector.observers import (
    KafkaMetrics,
    KafkaTokenMetrics,
    PublicHealth,
    ReloadMetrics,
    SubscriptionMetrics,
    TokenMetrics,
)
from connector.publish import DeadLetters, Publisher, PublishSettings, Sender
from connector.records.extract import Extractor
from connector.records.plan import SubscriptionPlan
from connector.records.topics import TopicTemplate
from connector.refusals import Refusals
from connector.reload import Reload
from connector.subscription import (
    Budget,
    GraphQLRequest,
    Placement,
    SessionSettings,
    Subprotocol,
    Target,
)
from connector.task import Follower, FollowSettings, Patience, Task, Tolerance, bucket
from connector.telemetry import Metrics, Redactor, configure_logs
from connector.tls import RotatingContext
from connector.worker import Worker

log = structlog.get_logger(__name__)

USER_AGENT = f"graphql-kafka-connector/{__version__}"
"""How we present ourselves; some endpoints refuse who does not."""

DRAIN_SHARE_OF_CLOSING = 0.5
"""At most this share of the drain is spent on waiting for the peers' Close."""


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
        metrics.at_scrape(lambda: health.measure(metrics))
        api = ApiServer(config.http.host, config.http.port, health, metrics.render, redact=redactor.redact)
        await Worker(
            tasks=running.tasks,
            keepers=[keeper for keeper in (running.keeper, kafka.keeper) if keeper is not None],
            api=api,
            drain=config.shutdown.drain,
            chores=[reload.run] if reload.is_wanted else [],
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
        self._session = _session(config)
        self._refusals = Refusals(
            provider=config.endpoint.preset,
            overrides=[rule.as_rule() for rule in config.endpoint.refusals],
        )
        self._source = source = _token_source(config, http)
        self.keeper = Keeper(source, observer=TokenMetrics(metrics, redactor)) if source else None
        self.budget = Budget(config.inbox.max_bytes)
        # All of them: a subscription may come to one that has none yet.
        self.tasks = [
            Task(
                number,
                (),
                Publisher(kafka.settings, _publishing(config), KafkaMetrics(metrics)),
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
            self._session = _session(config)
            for follower in (follower for task in self.tasks for follower in task.followers):
                follower.retarget(_target(config), self._session)
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
                headers=_revealed(config.oauth.headers),
            )
            self.keeper.renewed()

    def _follow(self, config: Config, plan: SubscriptionPlan) -> None:
        task = self._task(plan.name)
        task.add(
            Follower(
                _following(config, plan, self._session, self._refusals),
                keeper=self.keeper,
                publisher=task.publisher,
                budget=self.budget,
                observer=SubscriptionMetrics(self._metrics, plan.name),
                dead_letters=self._dead_letters[task.number],
                hide=self._redactor.hide_in,
            )
        )

    def _task(self, name: str) -> Task:
        return self.tasks[bucket(name, len(self.tasks))]


def warn_of(plan: SubscriptionPlan) -> None:
    """Log the doubts about a document."""
    for warning in plan.warnings:
        log.warning("document", subscription=plan.name, warning=warning)


def _token_source(config: Config, http: HttpClient) -> TokenSource | None:
    match config.token_source:
        case "token":
            assert config.token is not None
            return StaticToken(config.token.reveal())
        case "token_file":
            assert config.token_file is not None
            return TokenFile(config.token_file)
        case "oauth":
            assert config.oauth is not None
            return ClientCredentials(
                http,
                token_url=config.oauth.token_url,
                client_id=config.oauth.client_id,
                client_secret=config.oauth.client_secret.reveal(),
                scope=config.oauth.scope,
                auth=config.oauth.auth,
                headers=_revealed(config.oauth.headers),
            )
        case _:
            return None


def _dead_letter_topic(config: Config) -> str | None:
    return config.errors.dead_letter_topic if config.errors.tolerance == "all" else None


def _dead_letters(config: Config, task: Task) -> DeadLetters | None:
    name = _dead_letter_topic(config)
    if name is None:
        return None
    return DeadLetters(task.publisher, name, Sender(connector=config.name, task=task.number))


def _revealed(headers: Mapping[str, Secret]) -> dict[str, str]:
    return {name: value.reveal() for name, value in headers.items()}


def _publishing(config: Config) -> PublishSettings:
    topics, dead_letter_topic = config.topics, _dead_letter_topic(config)
    new = NewTopics(
        partitions=topics.partitions,
        replication_factor=topics.replication_factor,
        config=topics.config,
        # Compaction keeps one dead letter for each key, and none without.
        exceptions={dead_letter_topic: {"cleanup.policy": "delete"}} if dead_letter_topic else {},
    )
    return PublishSettings(create=new if topics.create else None, linger=config.kafka.producer.linger)


def _following(
    config: Config, plan: SubscriptionPlan, session: SessionSettings, refusals: Refusals
) -> FollowSettings:
    # The plan's template has the variables put in already.
    dead_letter_topic = _dead_letter_topic(config)
    not_for_rows = {dead_letter_topic} if dead_letter_topic else set()
    topic = TopicTemplate(plan.topic, {}, forbidden=frozenset(not_for_rows))
    window = config.errors.window
    return FollowSettings(
        name=plan.name,
        request=GraphQLRequest(
            plan.document_text,
            variable_values=dict(plan.variables) or None,
            operation_name=plan.operation_name,
        ),
        extractor=Extractor(
            rows=plan.rows, key=plan.key, timestamp=plan.timestamp, headers=plan.headers, topic=topic
        ),
        topics=tuple(name for name in (topic.static, dead_letter_topic) if name is not None),
        headers=(("connector", config.name.encode()), ("subscription", plan.name.encode())),
        streams=plan.cubes,
        target=_target(config),
        session=session,
        patience=Patience(
            keepalive_timeout=config.endpoint.keepalive_timeout,
            probe=config.preset.probe,
            ping_interval=config.endpoint.ping_interval,
        ),
        reopens=config.endpoint.rotation == "reopen",
        reopen_pause=config.endpoint.reopen_pause,
        refusals=refusals,
        rows_limit=config.preset.rows_limit,
        no_data_alarm=config.endpoint.no_data_alarm,
        tolerance=Tolerance(bad=config.errors.tolerance == "all", failures=window.failures, rows=window.rows),
    )


def _target(config: Config) -> Target:
    endpoint = config.endpoint
    source = config.oauth or config.token or config.token_file
    placements = (
        Placement(place=one.in_, name=one.name, template=one.template) for one in endpoint.credentials
    )
    return Target(
        url=endpoint.url,
        placements=tuple(placements) if source else (),
        headers=_revealed(endpoint.headers),
        init_payload=endpoint.init_payload or None,
    )


def _session(config: Config) -> SessionSettings:
    endpoint, peer = config.endpoint, config.peers.endpoint
    return SessionSettings(
        subprotocols=(
            # Legacy servers on npm's ws select the first offer, whatever it is; the modern reference
            # server selects the modern one wherever it stands.
            (Subprotocol.LEGACY_WS, Subprotocol.TRANSPORT_WS)
            if endpoint.subprotocol == "auto"
            else (Subprotocol(endpoint.subprotocol),)
        ),
        open_timeout=endpoint.open_timeout,
        ack_timeout=endpoint.ack_timeout,
        close_timeout=min(endpoint.close_timeout, config.shutdown.drain * DRAIN_SHARE_OF_CLOSING),
        max_message_bytes=endpoint.max_message_bytes,
        peer_closes=config.preset.peer_closes,
        user_agent=USER_AGENT,
        tls=RotatingContext(peer.tls),
        proxy=peer.route.proxy,
    )
