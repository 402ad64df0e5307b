"""Configuration → what each room is told."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from connector import __version__
from connector.config import Config, LoadedConfig, Secret
from connector.kafka import NewTopics
from connector.publish import PublishSettings
from connector.records.plan import SubscriptionPlan
from connector.records.record_builder import RecordBuilder
from connector.records.record_spec import RecordSpec
from connector.records.row_finder import RowFinder
from connector.records.topics import TopicTemplate
from connector.refusals import Refusals
from connector.subscription import (
    GraphQLRequest,
    SessionSettings,
    Subprotocol,
)
from connector.task import KeepAlivePolicy, SubscriptionSettings, SuspicionPolicy, Tolerance
from connector.tls import RotatingContext
from connector.upstream import Placement, Target

USER_AGENT = f"graphql-kafka-connector/{__version__}"
"""How we present ourselves; some endpoints refuse who does not."""

DRAIN_SHARE_OF_CLOSING = 0.5
"""At most this share of the drain is spent on waiting for the peers' Close."""


def dead_letter_topic_of(config: Config) -> str | None:
    """Return the topic that dead letters go to; ``None``: there are none."""
    return config.errors.dead_letter_topic if config.errors.tolerance == "all" else None


def revealed(headers: Mapping[str, Secret]) -> dict[str, str]:
    """Return ``headers`` as they are sent."""
    return {name: value.reveal() for name, value in headers.items()}


def publish_settings(config: Config) -> PublishSettings:
    """Return how topics are created, and rows published."""
    topics, dead_letter_topic = config.topics, dead_letter_topic_of(config)
    new = NewTopics(
        partitions=topics.partitions,
        replication_factor=topics.replication_factor,
        config=topics.config,
        # Compaction keeps one dead letter for each key, and none without.
        exceptions={dead_letter_topic: {"cleanup.policy": "delete"}} if dead_letter_topic else {},
    )
    return PublishSettings(
        create=new if topics.create else None, linger=config.kafka.producer.linger, topics_max=topics.max
    )


def follow_settings(
    config: Config, plan: SubscriptionPlan, session: SessionSettings, refusals: Refusals
) -> SubscriptionSettings:
    """Return what a subscription needs to know."""
    # The plan's template has the variables put in already.
    dead_letter_topic = dead_letter_topic_of(config)
    not_for_rows = {dead_letter_topic} if dead_letter_topic else set()
    topic = TopicTemplate(plan.topic, {}, forbidden=frozenset(not_for_rows))
    window = config.errors.window
    return SubscriptionSettings(
        name=plan.name,
        request=GraphQLRequest(
            _parsed(plan.document_text),
            variable_values=dict(plan.variables) or None,
            operation_name=plan.operation_name,
        ),
        rows=RowFinder(plan.rows, object_rows=plan.object_rows),
        records=RecordBuilder(
            RecordSpec(topic=topic, key=plan.key, timestamp=plan.timestamp, headers=plan.headers)
        ),
        topics=tuple(name for name in (topic.static, dead_letter_topic) if name is not None),
        headers=(("connector", config.name.encode()), ("subscription", plan.name.encode())),
        streams=plan.cubes,
        target=target_of(config),
        session=session,
        keep_alive=keep_alive_policy(config),
        reopens=config.endpoint.rotation == "reopen",
        reopen_pause=config.endpoint.reopen_pause,
        refusals=refusals,
        network=network_of(config, plan),
        suspicion=suspicion_policy(config),
        rows_limit=config.preset.rows_limit,
        no_data_alarm=config.endpoint.no_data_alarm,
        tolerance=Tolerance(bad=config.errors.tolerance == "all", failures=window.failures, rows=window.rows),
    )


@lru_cache(maxsize=64)
def _parsed(text: str) -> GraphQLRequest:
    """Parsed documents are large, and hundreds of subscriptions may differ in their variables only."""
    return GraphQLRequest(text)


def refusals_of(config: Config) -> Refusals:
    """Return the rules that say what a refusal of the endpoint means."""
    return Refusals(
        provider=config.endpoint.preset,
        overrides=[rule.as_rule() for rule in config.endpoint.refusals],
        token_is_given=config.token_source in ("token", "token_file"),
    )


def keep_alive_policy(config: Config) -> KeepAlivePolicy:
    """Return when silence is the end of a session."""
    return KeepAlivePolicy(
        keepalive_timeout=config.endpoint.keepalive_timeout,
        probe=config.preset.probe,
        ping_interval=config.endpoint.ping_interval,
    )


def network_of(config: Config, plan: SubscriptionPlan) -> str:
    """Return what falls silent as a whole, as far as it is known; empty: only the endpoint is."""
    # Of upstreams whose roots are the families of chains.
    if config.preset.rows_default != "cube":
        return ""
    return f"{plan.root} {plan.variables.get('network', '')}"


def suspicion_policy(config: Config) -> SuspicionPolicy:
    """Return when a session that is alive is looked into by another one."""
    quiet_after = config.endpoint.quiet_after
    return SuspicionPolicy(
        quiet_after=None if quiet_after == "off" else quiet_after,
        reopen_pause=config.endpoint.reopen_pause,
    )


def target_of(config: Config) -> Target:
    """Return the endpoint, before a token is put in."""
    endpoint = config.endpoint
    source = config.oauth or config.token or config.token_file
    placements = (
        Placement(place=one.in_, name=one.name, template=one.template) for one in endpoint.credentials
    )
    return Target(
        url=endpoint.url,
        placements=tuple(placements) if source else (),
        headers=revealed(endpoint.headers),
        init_payload=endpoint.init_payload or None,
    )


def session_settings(loaded: LoadedConfig) -> SessionSettings:
    """Return how connections to the endpoint behave."""
    config, peer = loaded.config, loaded.peers.endpoint
    endpoint = config.endpoint
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
        write_patience=endpoint.keepalive_timeout,
        compression=endpoint.compression == "auto",
        peer_closes=config.preset.peer_closes,
        user_agent=USER_AGENT,
        tls=RotatingContext(peer.tls),
        proxy=peer.route.proxy,
    )
