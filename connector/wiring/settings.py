"""Configuration → what each room is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from connector import __version__
from connector.config import Config, LoadedConfig, Secret
from connector.kafka import NewTopics
from connector.publish import PublishSettings
from connector.records.identity import Identity
from connector.records.plan import SubscriptionPlan
from connector.records.record_builder import RecordBuilder
from connector.records.record_spec import RecordSpec
from connector.records.row_finder import RowFinder
from connector.records.seam import SeamSpec
from connector.records.topics import TopicTemplate, offsets_topic
from connector.refusals import Refusals
from connector.subscription import (
    GraphQLRequest,
    SessionSettings,
    Subprotocol,
)
from connector.task import KeepAlivePolicy, SubscriptionSettings, SuspicionPolicy, Tolerance
from connector.tls import RotatingContext
from connector.upstream import Placement, Target
from connector.wiring.rotations import rotation_of

USER_AGENT = f"graphql-kafka-connector/{__version__}"
"""How we present ourselves; some endpoints refuse who does not."""

DRAIN_SHARE_OF_CLOSING = 0.5
"""At most this share of the drain is spent on waiting for the peers' Close."""


def dead_letter_topic_of(config: Config) -> str | None:
    """Return the topic that dead letters go to; ``None``: there are none."""
    return config.errors.dead_letter_topic if config.errors.tolerance == "all" else None


def offsets_topic_of(config: Config) -> str | None:
    """Return the topic that offsets are kept in; ``None``: they are not kept."""
    return offsets_topic(config.name) if config.offsets else None


def revealed(headers: Mapping[str, Secret]) -> dict[str, str]:
    """Return ``headers`` as they are sent."""
    return {name: value.reveal() for name, value in headers.items()}


def own_topics_of(config: Config) -> tuple[str, ...]:
    """Return the topics that are not for rows: those of dead letters and of events, where there are any."""
    return tuple(name for name in (dead_letter_topic_of(config), config.events_topic) if name is not None)


def publish_settings(config: Config) -> PublishSettings:
    """Return how topics are created, and rows published."""
    topics = config.topics
    new = NewTopics(
        partitions=topics.partitions,
        replication_factor=topics.replication_factor,
        config=topics.config,
        # Compaction keeps one dead letter, or event, for each key, and none without.
        exceptions={name: {"cleanup.policy": "delete"} for name in own_topics_of(config)},
    )
    return PublishSettings(
        create=new if topics.create else None, linger=config.kafka.producer.linger, topics_max=topics.max
    )


def follow_settings(
    config: Config, plan: SubscriptionPlan, session: SessionSettings, refusals: Refusals
) -> SubscriptionSettings:
    """Return what a subscription needs to know."""
    # The plan's template has the variables put in already.
    own_topics = own_topics_of(config)
    not_for_rows = {name for name in (*own_topics, offsets_topic_of(config)) if name is not None}
    topic = TopicTemplate(plan.topic, {}, forbidden=frozenset(not_for_rows))
    window = config.errors.window
    seam = seam_spec(plan)
    return SubscriptionSettings(
        name=plan.name,
        request=GraphQLRequest(
            _parsed(plan.document_text),
            variable_values=dict(plan.variables) or None,
            operation_name=plan.operation_name,
        ),
        rows=RowFinder(plan.rows, object_rows=plan.object_rows),
        records=RecordBuilder(
            RecordSpec(
                topic=topic,
                key=plan.key,
                timestamp=plan.timestamp,
                headers=plan.headers,
                # A digest costs a microsecond a row; overlaps alone compute their own.
                identity=seam.identity if seam.window is not None else None,
            )
        ),
        seam=seam,
        topics=(*((topic.static,) if topic.static is not None else ()), *own_topics),
        headers=(("connector", config.name.encode()), ("subscription", plan.name.encode())),
        streams=plan.cubes,
        target=target_of(config),
        session=session,
        keep_alive=keep_alive_policy(config),
        reopens=config.endpoint.rotation != "never",
        rotation=rotation_of(config),
        reopen_pause=config.endpoint.reopen_pause,
        refusals=refusals,
        network=network_of(config, plan),
        suspicion=suspicion_policy(config),
        rows_limit=config.preset.rows_limit,
        no_data_alarm=config.endpoint.no_data_alarm,
        tolerance=Tolerance(bad=config.errors.tolerance == "all", failures=window.failures, rows=window.rows),
    )


def seam_spec(plan: SubscriptionPlan) -> SeamSpec:
    """Return what is known of the rows of ``plan``, and how much of them is to be remembered."""
    identity, dedup = plan.identity, plan.dedup
    if identity is None:
        return SeamSpec(has_metrics=plan.has_metrics)
    spec = SeamSpec(identity=Identity(fields=identity.fields), unique=identity.kind == "unique")
    return replace(spec, window=dedup.seconds, max_bytes=dedup.max_bytes) if dedup is not None else spec


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
        overlaps=config.endpoint.rotation == "overlap",
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
