"""librdkafka's mock cluster as the embedded broker: C threads in this process, no Java."""

from __future__ import annotations

from confluent_kafka import Producer

from connector.demo.errors import DemoError

METADATA_TIMEOUT = 10.0
"""Seconds to wait for the cluster to answer."""


class Broker:
    """
    One broker on 127.0.0.1 that lives until `close`.

    It keeps about 5 MB a partition and creates a topic when somebody asks for it.
    """

    def __init__(self) -> None:
        self._client = Producer({"test.mock.num.brokers": 1, "log_level": 0})
        metadata = self._client.list_topics(timeout=METADATA_TIMEOUT)
        self.bootstrap_servers = ",".join(
            f"{broker.host}:{broker.port}" for broker in metadata.brokers.values()
        )

    def create_topic(self, name: str) -> int:
        """Create topic ``name`` and return its number of partitions."""
        topic = self._client.list_topics(name, timeout=METADATA_TIMEOUT).topics[name]
        if topic.error is not None or not topic.partitions:
            raise DemoError(f"the embedded broker did not create topic {name}: {topic.error}")
        return len(topic.partitions)

    def close(self) -> None:
        """End the cluster, and what it holds with it."""
        self._client.close()
