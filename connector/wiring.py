"""Configuration → objects. The only place that knows every room."""

from __future__ import annotations

from contextlib import AsyncExitStack

from connector import __version__
from connector.api import ApiServer
from connector.auth import ClientCredentials, Keeper, StaticToken, TokenFile, TokenSource
from connector.config import Config
from connector.http import HttpClient
from connector.kafka import KafkaSettings, NewTopics
from connector.observers import KafkaMetrics, PublicHealth, SubscriptionMetrics, TokenMetrics
from connector.publish import Publisher, PublishSettings
from connector.records.extract import Extractor
from connector.records.plan import SubscriptionPlan
from connector.records.topics import TopicTemplate
from connector.subscription import (
    Budget,
    GraphQLRequest,
    Placement,
    SessionSettings,
    Subprotocol,
    Target,
)
from connector.task import Follower, FollowSettings, Patience, Task, bucket
from connector.telemetry import Metrics, Redactor
from connector.tls import RotatingContext
from connector.worker import Worker

DRAIN_SHARE_OF_CLOSING = 0.5
"""At most this share of the drain is spent on waiting for the peers' Close."""


async def run_worker(config: Config, redactor: Redactor) -> None:
    """
    Build everything and run until stopped.

    Raises:
        Undelivered: See `Worker.run`.
        FatalError: See `Worker.run`.
    """
    metrics = Metrics(version=__version__)
    async with AsyncExitStack() as stack:
        source = await _token_source(config, redactor, stack)
        keeper = Keeper(source, observer=TokenMetrics(metrics, redactor)) if source else None
        budget = Budget(config.inbox.max_bytes)
        tasks = _tasks(config, keeper, metrics, budget)
        health = PublicHealth(keeper=keeper, tasks=tasks, budget=budget)
        metrics.at_scrape(lambda: health.measure(metrics))
        api = ApiServer(config.http.host, config.http.port, health, metrics.render, redact=redactor.redact)
        await Worker(tasks=tasks, keeper=keeper, api=api, drain=config.shutdown.drain).run()


async def _token_source(config: Config, redactor: Redactor, stack: AsyncExitStack) -> TokenSource | None:
    match config.token_source:
        case "token":
            assert config.token is not None
            return StaticToken(config.token.reveal())
        case "token_file":
            assert config.token_file is not None
            return TokenFile(config.token_file)
        case "oauth":
            assert config.oauth is not None
            peer = config.peers.token
            source = ClientCredentials(
                await stack.enter_async_context(HttpClient(tls=peer.tls, proxy=peer.route.proxy)),
                token_url=config.oauth.token_url,
                client_id=config.oauth.client_id,
                client_secret=config.oauth.client_secret.reveal(),
                scope=config.oauth.scope,
                auth=config.oauth.auth,
            )
            for secret in source.secrets:
                redactor.add(secret)
            return source
        case _:
            return None


def _tasks(config: Config, keeper: Keeper | None, metrics: Metrics, budget: Budget) -> list[Task]:
    tasks = []
    session = _session(config)
    for number in range(config.tasks):
        plans = [plan for plan in config.plans if bucket(plan.name, config.tasks) == number]
        if not plans:
            continue
        publisher = Publisher(_kafka(config), _publishing(config), KafkaMetrics(metrics))
        followers = [
            Follower(
                _following(config, plan, session),
                keeper=keeper,
                publisher=publisher,
                budget=budget,
                observer=SubscriptionMetrics(metrics, plan.name),
            )
            for plan in plans
        ]
        tasks.append(Task(number, followers, publisher))
    return tasks


def _kafka(config: Config) -> KafkaSettings:
    section = config.kafka
    return KafkaSettings(
        bootstrap_servers=section.bootstrap_servers,
        client_id=section.client_id,
        compression=None if section.compression == "none" else section.compression,
        max_batch_bytes=section.producer.max_batch_bytes,
        request_timeout=section.producer.request_timeout,
        retry_backoff=section.producer.retry_backoff,
        metadata_max_age=section.producer.metadata_max_age,
    )


def _publishing(config: Config) -> PublishSettings:
    topics = config.topics
    new = NewTopics(
        partitions=topics.partitions, replication_factor=topics.replication_factor, config=topics.config
    )
    return PublishSettings(create=new if topics.create else None, linger=config.kafka.producer.linger)


def _following(config: Config, plan: SubscriptionPlan, session: SessionSettings) -> FollowSettings:
    # The plan's template has the variables put in already.
    topic = TopicTemplate(plan.topic, {})
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
        topics=(topic.static,) if topic.static is not None else (),
        headers=(("connector", config.name.encode()), ("subscription", plan.name.encode())),
        streams=plan.cubes,
        target=_target(config),
        session=session,
        patience=Patience(keepalive_timeout=config.endpoint.keepalive_timeout, probe=config.preset.probe),
        reopens=config.endpoint.rotation == "reopen",
        rows_limit=config.preset.rows_limit,
        no_data_alarm=config.endpoint.no_data_alarm,
    )


def _target(config: Config) -> Target:
    endpoint = config.endpoint
    credentials = endpoint.credentials
    source = config.oauth or config.token or config.token_file
    placement = Placement(place=credentials.in_, name=credentials.name, template=credentials.template)
    return Target(
        url=endpoint.url,
        placement=placement if source else None,
        headers={name: value.reveal() for name, value in endpoint.headers.items()},
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
        tls=RotatingContext(peer.tls),
        proxy=peer.route.proxy,
    )
