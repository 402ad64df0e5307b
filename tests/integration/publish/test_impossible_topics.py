"""Topics that Apache Kafka refuses for good."""

from collections.abc import Callable

from tests.brokers.admin import create_topic
from tests.brokers.cluster import KafkaCluster
from tests.integration.publish.publishing import CREATE, Running, numbered, publishing


async def test_rows_of_a_name_that_collides_with_another_are_bad(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    name = topic_name().replace("_", "-").replace(".", "-")
    await create_topic(kafka.bootstrap_servers, f"{name}.q")
    async with publishing(kafka.bootstrap_servers, CREATE) as running:
        await running.deliver(f"{name}_q", numbered(range(3)))
        aside = Running.beside(running)
        await aside.deliver(f"{name}.q", numbered(range(3)))
    assert [getattr(error, "reason", None) for error in running.failed] == ["topic"] * 3
    assert "collides" in str(running.failed[0])
    assert aside.failed == []
