"""What integration tests share."""

import pytest

from tests.brokers.cluster import KafkaCluster


@pytest.fixture(params=["kafka", "kafka3"], ids=["one-broker", "three-brokers"])
def cluster(request: pytest.FixtureRequest, kafka_jars: str) -> KafkaCluster:
    """Apache Kafka of one broker, then of three. Leave them running."""
    running = request.getfixturevalue(request.param)
    assert isinstance(running, KafkaCluster)
    return running
