"""Asking the brokers what we may do, without doing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connector.errors import ConnectorError
from connector.kafka.admin import NewTopics, TopicCreation, create_topics, topic_configs
from connector.kafka.diagnosis.report import BrokerFinding, BrokerReport, Finding, TopicFinding
from connector.kafka.diagnosis.rights import NO_BROKER, OK, Rights, TopicRights, fetch_rights
from connector.kafka.diagnosis.survey import MAX_STEP_TIMEOUT, BrokerCheck, survey
from connector.kafka.errors import FileUnusable, NotAllowed
from connector.kafka.settings import KafkaSettings

_EXISTS = Finding(verdict="not needed", detail="the topic exists")
_MUST_EXIST = Finding(verdict="not needed", detail="topics.create is false")
_LATER = Finding(verdict="not checked", detail="the topic does not exist", optional=True)
_UNKNOWN = Finding(verdict="not checked", detail="it is not known whether the topic exists")
_BLIND = Finding(
    verdict="refused",
    optional=True,
    detail="grant DESCRIBE_CONFIGS, else the topic's limits are taken to be Kafka's defaults",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Admin:
    """
    What admin calls told: why topics could not be created, and the settings of those that may be described.

    ``silence`` is the finding of everything where there was no answer.
    """

    refusals: Mapping[str, ConnectorError] = field(default_factory=dict)
    described: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    silence: Finding | None = None


async def probe(settings: KafkaSettings, topics: Sequence[str], *, create: NewTopics | None) -> BrokerReport:
    """
    Connect to every broker, and ask for each right on each of ``topics``. Publishes and creates nothing.

    ``create`` says how missing topics would be created; with ``None`` they must exist, and no admin call is
    made. Never raises for what the brokers do: the report tells.
    """
    wanted = list(dict.fromkeys(topics))
    try:
        checks = await survey(settings)
    except FileUnusable as error:
        return _nothing(settings, wanted, error)
    rights = await _rights(settings, wanted, checks)
    admin = _Admin() if create is None else await _ask_admin(settings, wanted, rights, create)
    return BrokerReport(
        cluster_id=rights.cluster_id,
        brokers=tuple(_broker(check) for check in checks),
        idempotent_write=rights.idempotent_write,
        topics=tuple(_topic(topic, rights.of(topic), admin, creates=create is not None) for topic in wanted),
    )


async def _rights(settings: KafkaSettings, topics: Sequence[str], checks: Sequence[BrokerCheck]) -> Rights:
    usable = [check.broker for check in checks if check.error is None]
    if not usable:
        return Rights()
    timeout = min(settings.request_timeout, MAX_STEP_TIMEOUT)
    # The last one was advertised, if any was: whoever answers there serves producers too.
    return await fetch_rights(settings, usable[-1].host, usable[-1].port, topics, timeout=timeout)


async def _ask_admin(
    settings: KafkaSettings, topics: Sequence[str], rights: Rights, create: NewTopics
) -> _Admin:
    if not rights.topics:
        return _Admin(silence=NO_BROKER)
    missing = [topic for topic in topics if rights.of(topic).partitions is None]
    there = [topic for topic in topics if rights.of(topic).partitions is not None]
    try:
        creation = TopicCreation()
        if missing:
            creation = await create_topics(settings, missing, create, validate_only=True)
        described = await topic_configs(settings, there) if there else {}
    except ConnectorError as error:
        return _Admin(silence=Finding(verdict="not checked", detail=str(error)))
    return _Admin(refusals=creation.refused, described=described)


def _topic(topic: str, rights: TopicRights, admin: _Admin, *, creates: bool) -> TopicFinding:
    describe = rights.describe
    if rights.is_missing and not creates:
        describe = Finding(
            verdict="failed", detail="the topic does not exist: create it, or set topics.create to true"
        )
    return TopicFinding(
        topic=topic,
        partitions=rights.partitions,
        describe=describe,
        write=rights.write,
        create=_create(topic, rights, admin) if creates else _MUST_EXIST,
        describe_configs=_describe_configs(topic, rights, admin) if creates else _MUST_EXIST,
        read=rights.read,
        config=admin.described.get(topic),
    )


def _create(topic: str, rights: TopicRights, admin: _Admin) -> Finding:
    if rights.partitions is not None:
        return _EXISTS
    if admin.silence is not None:
        return admin.silence
    refusal = admin.refusals.get(topic)
    if refusal is None:
        return OK
    if not isinstance(refusal, NotAllowed):
        return Finding(verdict="failed", detail=str(refusal))
    detail = f"grant CREATE on topic {topic} or on the cluster, or create the topic"
    # Whoever may not describe it cannot know whether it is there already.
    return Finding(verdict="refused", detail=detail, optional=not rights.is_missing)


def _describe_configs(topic: str, rights: TopicRights, admin: _Admin) -> Finding:
    if admin.silence is not None:
        return admin.silence
    if rights.partitions is None:
        return _LATER if rights.is_missing else _UNKNOWN
    return OK if topic in admin.described else _BLIND


def _broker(check: BrokerCheck) -> BrokerFinding:
    broker, error = check.broker, check.error
    finding = OK
    if error is not None:
        verdict = "refused" if error.is_about_credentials else "failed"
        finding = Finding(verdict=verdict, detail=error.what)  # type: ignore[arg-type]
    return BrokerFinding(
        address=broker.address,
        node_id=broker.node_id,
        finding=finding,
        reason=error.reason if error else None,
    )


def _nothing(settings: KafkaSettings, topics: Sequence[str], error: FileUnusable) -> BrokerReport:
    """The report where nobody was asked, for want of a file."""
    finding = Finding(verdict="failed", detail=str(error))
    nobody = Rights()
    return BrokerReport(
        cluster_id=None,
        brokers=tuple(
            BrokerFinding(address=server.strip(), node_id=None, finding=finding, reason="file")
            for server in settings.bootstrap_servers.split(",")
        ),
        idempotent_write=NO_BROKER,
        topics=tuple(
            _topic(topic, nobody.of(topic), _Admin(silence=NO_BROKER), creates=True) for topic in topics
        ),
    )
