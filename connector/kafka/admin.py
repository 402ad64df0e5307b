"""Topics: create those that are missing, and learn what they accept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
from aiokafka import errors as kafka_errors

from connector.errors import ConnectorError
from connector.kafka.error_codes import error_code
from connector.kafka.errors import BrokerUnreachable, ContentRefused, NotAllowed
from connector.kafka.internals import client_of, closing_bootstrap, create_none_by_asking, pace_metadata
from connector.kafka.options import client_options, ssl_context
from connector.kafka.settings import KafkaSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_EXISTS = 36
_REFUSED = frozenset({29, 31})
_IMPOSSIBLE = frozenset({17, 44})
"""
INVALID_TOPIC_EXCEPTION (also for a name that collides with another's ``.`` or ``_``) and
POLICY_VIOLATION are about this topic. Wrong numbers of partitions or replicas and wrong settings are about
all of them: no row's fault.
"""
_TOPIC = 2  # ConfigResourceType.TOPIC


@dataclass(frozen=True, kw_only=True, slots=True)
class TopicLimits:
    """
    What a topic accepts: ``max_batch_bytes`` of a batch, and how many milliseconds an event time may be
    ahead (``future_ms``) or behind (``past_ms``); ``None`` where it is not known. ``is_compacted``: rows
    need keys.
    """

    max_batch_bytes: int | None = None
    future_ms: int | None = None
    past_ms: int | None = None
    is_compacted: bool = False

    def with_config(self, config: Mapping[str, str | None]) -> TopicLimits:
        """Return these limits, those that ``config``, a topic's settings, tells taken from there."""

        def number(name: str, known: int | None) -> int | None:
            value = config.get(name)
            return int(value) if value is not None and value.lstrip("-").isdigit() else known

        policy = config.get("cleanup.policy")
        return TopicLimits(
            max_batch_bytes=number("max.message.bytes", self.max_batch_bytes),
            future_ms=number("message.timestamp.after.max.ms", self.future_ms),
            past_ms=number("message.timestamp.before.max.ms", self.past_ms),
            is_compacted=self.is_compacted if policy is None else "compact" in policy,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class NewTopics:
    """
    How to create topics: ``-1`` leaves partitions and replication to the brokers' defaults.

    ``config`` holds settings of all, ``exceptions`` those of single topics that differ.
    """

    partitions: int = -1
    replication_factor: int = -1
    config: Mapping[str, str] | None = None
    exceptions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def config_of(self, topic: str) -> dict[str, str]:
        """Return the settings of ``topic``."""
        return {**(self.config or {}), **self.exceptions.get(topic, {})}


@dataclass(frozen=True, kw_only=True, slots=True)
class TopicCreation:
    """
    What came of creating topics: ``created`` are those that did not exist before, ``refused`` holds the
    error of each that could not be created. The others existed already.
    """

    created: frozenset[str] = frozenset()
    refused: Mapping[str, ConnectorError] = field(default_factory=dict)


class TopicRefused(BrokerUnreachable):
    """The brokers would not create a topic."""

    def __init__(self, topic: str, reason: str) -> None:
        super().__init__(f"topic {topic} could not be created: {reason}")


async def create_topics(
    settings: KafkaSettings, topics: Sequence[str], new: NewTopics, *, validate_only: bool = False
) -> TopicCreation:
    """
    Create those of ``topics`` that do not exist.

    With ``validate_only`` none is created, and the answer says what would have come of it.

    Raises:
        BrokerUnreachable: No broker answered in time.
    """
    from aiokafka.admin import NewTopic

    wanted = [
        NewTopic(
            name=topic,
            num_partitions=new.partitions,
            replication_factor=new.replication_factor,
            # The library takes the brokers' default only beside an assignment, be it an empty one.
            replica_assignments={} if -1 in (new.partitions, new.replication_factor) else None,
            topic_configs=new.config_of(topic),
        )
        for topic in topics
    ]
    async with _admin(settings) as admin:
        answer = await admin.create_topics(wanted, validate_only=validate_only)
    created: set[str] = set()
    failed: dict[str, ConnectorError] = {}
    for topic, code, *message in answer.topic_errors:
        if code == 0:
            created.add(topic)
        if code in (0, _EXISTS):
            continue
        said = message[0] if message and message[0] else error_code(code).name
        if code in _IMPOSSIBLE:
            failed[topic] = ContentRefused("topic", f"topic {topic} cannot exist: {said}")
        elif code in _REFUSED:
            failed[topic] = NotAllowed(f"to create topic {topic}")
        else:
            failed[topic] = TopicRefused(topic, str(said))
    return TopicCreation(created=frozenset(created), refused=failed)


async def topic_limits(settings: KafkaSettings, topics: Sequence[str]) -> Mapping[str, TopicLimits]:
    """
    Return what the brokers say of each topic; topics that we may not describe are left out.

    Raises:
        BrokerUnreachable: No broker answered in time.
    """
    configs = await topic_configs(settings, topics)
    return {topic: TopicLimits().with_config(config) for topic, config in configs.items()}


async def topic_configs(
    settings: KafkaSettings, topics: Sequence[str]
) -> Mapping[str, Mapping[str, str | None]]:
    """
    Return the settings of each topic as the brokers tell them; topics that we may not describe are left out.

    Raises:
        BrokerUnreachable: No broker answered in time.
    """
    from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

    async with _admin(settings) as admin:
        answers = await admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics]
        )
    return {
        name: {entry[0]: entry[1] for entry in entries}
        for answer in answers
        for code, _message, kind, name, entries in answer.resources
        if code == 0 and kind == _TOPIC
    }


@asynccontextmanager
async def _admin(settings: KafkaSettings) -> AsyncIterator[Any]:
    from aiokafka.admin import AIOKafkaAdminClient

    context = await ssl_context(settings.security)
    admin = AIOKafkaAdminClient(**client_options(settings, context))
    create_none_by_asking(client_of(admin))
    pace_metadata(client_of(admin), settings.retry_backoff)
    try:
        with anyio.fail_after(settings.request_timeout):
            with closing_bootstrap(client_of(admin)):
                await admin.start()
            yield admin
    except TimeoutError:
        raise BrokerUnreachable(f"no answer from {settings.bootstrap_servers}") from None
    except (kafka_errors.KafkaError, OSError, AttributeError, AssertionError) as error:
        raise BrokerUnreachable(
            f"no broker of {settings.bootstrap_servers} can be asked about topics ({type(error).__name__})"
        ) from None
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(2):
            await admin.close()
