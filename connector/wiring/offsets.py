"""Configuration → the topic that keeps offsets."""

from __future__ import annotations

from contextlib import AsyncExitStack

from connector.config import Config
from connector.publish.offsets import OffsetsTopic
from connector.wiring.kafka_access import KafkaAccess


async def open_offsets(config: Config, kafka: KafkaAccess, stack: AsyncExitStack) -> OffsetsTopic | None:
    """Return the topic, which ``stack`` closes; ``None`` where no offsets are kept."""
    if not config.offsets:
        return None
    topic = OffsetsTopic(
        kafka.settings,
        connector=config.name,
        tasks=config.tasks,
        replication_factor=config.topics.replication_factor if config.topics.create else None,
    )
    return await stack.enter_async_context(topic)
