"""Apache Kafka that takes less at a time than we send: everything arrives, and the reason is named."""

from dataclasses import replace

import anyio
import pytest

from connector.kafka import NewTopics
from connector.publish import PublishSettings
from tests.brokers.fixtures import StartKafka
from tests.brokers.reader import read_all
from tests.integration.publish.publishing import KAFKA, numbered, publishing, until

MIB = 1 << 20
ROWS = 400


@pytest.mark.parametrize("most", [MIB, 300 * MIB], ids=["bounded", "learned"])
async def test_a_backlog_of_sixteen_partitions_arrives(
    start_kafka: StartKafka, most: int, capfd: pytest.CaptureFixture[str]
) -> None:
    config = {"socket.request.max.bytes": str(2 * MIB if most == MIB else MIB // 2)}
    cluster = start_kafka(config=config)
    settings = PublishSettings(create=NewTopics(partitions=16))
    kafka = replace(KAFKA, max_request_bytes=most)
    async with publishing(cluster.bootstrap_servers, settings, kafka) as running:
        await running.deliver("t", numbered([0]))
        cluster.broker(1).freeze()
        for first in range(1, ROWS, 20):
            await running.add("t", numbered(range(first, first + 20), size=50_000, key=None))
        await anyio.sleep(0.5)
        cluster.broker(1).thaw()
        await running.all_settled(90)
        await until(lambda: running.publisher.state == "up", deadline=20)
        assert running.failed == []
        values = [
            int((record.value or b"")[-8:]) for record in await read_all(cluster.bootstrap_servers, "t")
        ]
        assert sorted(set(values)) == list(range(ROWS + 1))
    if most > MIB:
        said = capfd.readouterr()
        assert "socket.request.max.bytes" in said.out + said.err
