"""Configuration → what `check` asks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack

from connector.auth import TokenSource
from connector.config import Config, LoadedConfig
from connector.config.rotation import NEEDED_FOR_STREAMS, stream_need
from connector.probe import (
    BrokersProbe,
    Endpoint,
    Finding,
    Judge,
    OffsetsCheck,
    Probes,
    Report,
    Tell,
    TokenProbe,
    Topics,
    probe_all,
)
from connector.records.topics import TopicTemplate
from connector.telemetry import Metrics, Redactor, TokenMetrics
from connector.wiring.kafka_access import KafkaAccess
from connector.wiring.secrets import learn
from connector.wiring.settings import (
    dead_letter_topic_of,
    keep_alive_policy,
    offsets_topic_of,
    publish_settings,
    refusals_of,
    session_settings,
    target_of,
)
from connector.wiring.token_access import TokenAccess

DEAD_LETTERS = "dead letters"
EVENTS = "gap events"


async def check_up(loaded: LoadedConfig, redactor: Redactor, tell: Tell) -> Report:
    """Ask everybody whom ``loaded`` names; ``redactor`` learns every secret on the way."""
    config = loaded.config
    learn(loaded, redactor)
    async with AsyncExitStack() as stack:
        tokens = await TokenAccess.open(loaded, stack)
        observer = TokenMetrics(Metrics(version="").kafka_token_requests, redactor)
        kafka = await KafkaAccess.open(loaded, stack, observer)
        oauth = config.kafka.security.oauth
        probes = Probes(
            token=_token(config, tokens.source, lambda value: redactor.add(value, keep=False)),
            endpoint=_endpoint(loaded),
            brokers=BrokersProbe(
                settings=kafka.settings,
                topics=topics_of(loaded),
                create=publish_settings(config).create,
                offsets=_offsets(config),
            ),
            kafka_keeper=kafka.keeper,
            kafka_token_url=oauth.token_url if oauth is not None else "",
            streams=streams_of(loaded),
        )
        return await probe_all(probes, tell)


def topics_of(loaded: LoadedConfig) -> Topics:
    """Return whose rows go where."""
    named: dict[str, list[str]] = {}
    templates: dict[str, list[str]] = {}
    for plan in loaded.plans:
        # The plan's template has the variables put in already.
        static = TopicTemplate(plan.topic, {}).static
        (templates if static is None else named).setdefault(static or plan.topic, []).append(plan.name)
    dead_letter_topic = dead_letter_topic_of(loaded.config)
    if dead_letter_topic is not None:
        named.setdefault(dead_letter_topic, []).append(DEAD_LETTERS)
    if loaded.config.events_topic is not None:
        named.setdefault(loaded.config.events_topic, []).append(EVENTS)
    return Topics(named=named, templates=templates)


def streams_of(loaded: LoadedConfig) -> Finding | None:
    """Return how the streams that are needed fit into the plan; ``None``: what that allows is not known."""
    endpoint = loaded.config.endpoint
    cap = endpoint.max_streams
    if cap is None:
        return None
    need = stream_need(endpoint.model_dump(include=set(NEEDED_FOR_STREAMS)), loaded.plans)
    said = need.against(cap)
    fits = f"{need.always} of {cap}, and up to {need.rotating} while sessions are rotated"
    return Finding(
        area="endpoint",
        subject=endpoint.url,
        check="streams",
        outcome="ok" if said is None else "failed",
        # Without room for a second session it is reopened; without room for the first it stays silent.
        needed=said is None or need.always > cap,
        detail=fits if said is None else f"endpoint.max_streams, {cap}, {said}",
        remedy="" if said is None else "fewer subscriptions, or a larger plan",
        facts={"streams": need.always, "streams_rotating": need.rotating, "max_streams": cap},
    )


def _offsets(config: Config) -> OffsetsCheck | None:
    topic = offsets_topic_of(config)
    return OffsetsCheck(topic=topic, tasks=config.tasks) if topic is not None else None


def _token(config: Config, source: TokenSource | None, learn: Callable[[str], None]) -> TokenProbe:
    subjects = {
        "oauth": config.oauth.token_url if config.oauth is not None else "",
        "token": "token",
        "token_file": f"token_file {config.token_file}",
        "none": "token",
    }
    return TokenProbe(
        source=source,
        subject=subjects[config.token_source],
        asked=config.oauth.scope if config.oauth is not None else None,
        is_given=config.oauth is None,
        learn=learn,
    )


def _endpoint(loaded: LoadedConfig) -> Endpoint:
    config = loaded.config
    refusals = refusals_of(config)
    return Endpoint(
        subject=config.endpoint.url,
        target=target_of(config),
        settings=session_settings(loaded),
        keep_alive=keep_alive_policy(config),
        judge=Judge(classify=refusals.classify, remedy=refusals.remedy_of),
    )
