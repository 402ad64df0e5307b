"""What we may do, as one broker tells it."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import errors as kafka_errors

from connector.kafka.diagnosis.connect import connect
from connector.kafka.diagnosis.refusal import CannotConnect
from connector.kafka.diagnosis.report import Finding
from connector.kafka.errors import FileUnusable
from connector.kafka.internals import BrokerConnection
from connector.kafka.options import ssl_context
from connector.kafka.settings import KafkaSettings

DESCRIBE, WRITE, READ = 8, 4, 3
"""Bits: the codes of org.apache.kafka.common.acl.AclOperation."""

OK = Finding(verdict="ok")
NO_BROKER = Finding(verdict="not checked", detail="no broker can be used")
_NO_ANSWER = Finding(verdict="not checked", detail="the broker did not answer this question")
_NOT_SUPPORTED = Finding(verdict="not checked", detail="this broker does not tell rights")

_NOT_TOLD = -(2**31)
_UNKNOWN_TOPIC, _TOPIC_REFUSED, _CLUSTER_REFUSED = 3, 29, 31


@dataclass(frozen=True, kw_only=True, slots=True)
class TopicRights:
    """``partitions`` is ``None`` where the topic is not there, or may not be described."""

    partitions: int | None
    is_missing: bool
    describe: Finding
    write: Finding
    read: Finding


@dataclass(frozen=True, kw_only=True, slots=True)
class Rights:
    """What was told; ``otherwise`` is the finding of each topic that nothing was told of."""

    cluster_id: str | None = None
    topics: Mapping[str, TopicRights] = field(default_factory=dict)
    idempotent_write: Finding = NO_BROKER
    otherwise: Finding = NO_BROKER

    def of(self, topic: str) -> TopicRights:
        """Return what was told of ``topic``."""
        return self.topics.get(topic, _all(self.otherwise))


async def fetch_rights(
    settings: KafkaSettings, host: str, port: int, topics: Sequence[str], *, timeout: float
) -> Rights:
    """Ask the broker at ``host:port``, ``timeout`` seconds for each question; nothing is changed by it."""
    try:
        context = await ssl_context(settings.security)
        async with connect(settings, host, port, context, timeout=timeout) as broker:
            return await _ask(broker.connection, topics)
    except (CannotConnect, FileUnusable):  # it could be used a moment ago
        return Rights()


def refuses_write(answer: Any, topic: str) -> bool:
    """Return whether ``answer``, that of `fetch_operations`, says that we may not write to ``topic``."""
    topics = [_topic(*entry) for entry in answer.topics if entry[1] == topic]
    return any(rights.write.verdict == "refused" for rights in topics)


async def _ask(connection: BrokerConnection, topics: Sequence[str]) -> Rights:
    # The answer to this is the same whatever the topics are, so it comes first.
    producer_id = await _answer(connection.fetch_producer_id())
    answer = await _answer(connection.fetch_operations(topics))
    idempotent = _NO_ANSWER if producer_id is None else _idempotent(producer_id.error_code)
    if answer is None:
        return Rights(idempotent_write=idempotent, otherwise=_NO_ANSWER)
    return Rights(
        cluster_id=answer.cluster_id,
        topics={entry[1]: _topic(*entry) for entry in answer.topics},
        idempotent_write=idempotent,
        otherwise=_NO_ANSWER,
    )


async def _answer(question: Awaitable[Any]) -> Any:
    try:
        return await question
    # A broker too old for the question is NotImplementedError, one that answers nonsense a ValueError.
    except (kafka_errors.KafkaError, OSError, TimeoutError, NotImplementedError, ValueError, LookupError):
        return None


def _idempotent(code: int) -> Finding:
    if code == _CLUSTER_REFUSED:
        return Finding(
            verdict="refused",
            detail="grant WRITE on a topic (Kafka 2.8 and later), or IDEMPOTENT_WRITE on the cluster",
        )
    error = kafka_errors.for_code(code)
    # Whoever is told to come back later was let in.
    if code == 0 or getattr(error, "retriable", False):
        return OK
    return Finding(verdict="not checked", detail=f"the broker answered {error.__name__}")


def _topic(code: int, topic: str, _internal: bool, partitions: Sequence[Any], operations: int) -> TopicRights:
    if code == _TOPIC_REFUSED:
        return TopicRights(
            partitions=None,
            is_missing=False,
            describe=_refused("DESCRIBE", topic),
            write=_refused("WRITE", topic),  # it would imply DESCRIBE
            read=_refused("READ", topic),
        )
    if code not in (0, _UNKNOWN_TOPIC):
        trouble = Finding(
            verdict="failed", detail=f"the broker answered {kafka_errors.for_code(code).__name__}"
        )
        return _all(trouble)
    leaderless = [number for _, number, leader, *_ in partitions if leader < 0]
    describe = (
        OK
        if not leaderless
        else Finding(verdict="failed", detail=f"partitions without a leader: {leaderless[:5]}")
    )
    return TopicRights(
        partitions=len(partitions) or None,
        is_missing=code == _UNKNOWN_TOPIC,
        describe=describe,
        write=_bit(operations, WRITE, "WRITE", topic),
        read=_bit(operations, READ, "READ", topic),
    )


def _all(finding: Finding) -> TopicRights:
    return TopicRights(partitions=None, is_missing=False, describe=finding, write=finding, read=finding)


def _bit(operations: int, bit: int, name: str, topic: str) -> Finding:
    if operations == _NOT_TOLD:
        return _NOT_SUPPORTED
    return OK if operations >> bit & 1 else _refused(name, topic)


def _refused(operation: str, topic: str) -> Finding:
    return Finding(
        verdict="refused", detail=f"grant {operation} on topic {topic} to the connector's principal"
    )
