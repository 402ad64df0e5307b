"""Apache Kafka for the cells that want it: one broker for the run, a topic for each cell."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from tests.brokers.admin import admin_client, create_topic
from tests.brokers.cluster import KafkaCluster
from tests.brokers.jars import MissingComponentError, kafka_classpath

SETTINGS = {"file.delete.delay.ms": "1000"}
"""A cell writes up to a gigabyte, which is to be gone with its topic."""


@contextlib.contextmanager
def apache_kafka() -> Iterator[str | None]:
    """The address of one broker; ``None`` where Java or Maven are missing."""
    try:
        jars = kafka_classpath()
    except MissingComponentError as error:
        print(f"without Apache Kafka: {error}")
        yield None
        return
    with (
        tempfile.TemporaryDirectory(prefix="bench-kafka-") as directory,
        KafkaCluster(Path(directory), jars) as kafka,
    ):
        yield kafka.bootstrap_servers


@contextlib.contextmanager
def topic_on(brokers: str, partitions: int) -> Iterator[str]:
    """A topic of its own, deleted at the end."""
    name = f"bench-{uuid.uuid4().hex[:8]}"
    asyncio.run(create_topic(brokers, name, partitions=partitions, config=SETTINGS))
    try:
        yield name
    finally:
        asyncio.run(_delete(brokers, name))


async def _delete(brokers: str, name: str) -> None:
    async with admin_client(brokers) as admin:
        await admin.delete_topics([name])
