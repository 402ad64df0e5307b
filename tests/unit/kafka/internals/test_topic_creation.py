"""Asking for a topic's metadata does not have it created."""

from typing import Any

import pytest
from aiokafka import AIOKafkaClient
from aiokafka.cluster import ClusterMetadata
from aiokafka.protocol.metadata import MetadataRequest_v4

from connector.kafka.internals import create_none_by_asking


class Connection:
    """Takes one request, and does not answer it."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def send(self, request: Any) -> Any:
        self.asked.append(request.build(MetadataRequest_v4))
        raise TimeoutError


@pytest.mark.parametrize("is_told", [False, True])
async def test_topics_that_are_asked_for_are_not_created(is_told: bool) -> None:
    client, connection = AIOKafkaClient(bootstrap_servers="nowhere:9092"), Connection()
    if is_told:
        create_none_by_asking(client)

    async def connect(node: Any) -> Connection:
        return connection

    client._get_conn = connect
    client.cluster.brokers = lambda: [type("Broker", (), {"nodeId": 1})]
    assert not await client._metadata_update(ClusterMetadata(), {"t"})
    (request,) = connection.asked
    assert request.topics == ["t"]
    assert request.allow_auto_topic_creation is not is_told
