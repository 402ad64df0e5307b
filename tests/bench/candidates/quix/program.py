"""
A Quix Streams source that reads the websocket.

Arguments: url, brokers, topic, compression, and "documented" (``json.loads``, then ``serialize`` and
``produce``, as in its documentation and in its own sources) or "tuned" (orjson for both, no ``serialize``).
"""

import json
import sys
from datetime import datetime

import orjson
from quixstreams import Application
from quixstreams.models.topics import Topic, TopicAdmin, TopicConfig
from quixstreams.sources import Source
from websockets.sync.client import connect
from websockets.typing import Subprotocol

PARTITIONS = 4


def _inspect(self: TopicAdmin, topic_names: list[str], timeout: float = 30) -> dict[str, TopicConfig]:
    """The mock cluster knows no DescribeConfigs, which the framework begins with."""
    settings = {"retention.ms": "-1", "max.message.bytes": "1048588"}
    return {name: TopicConfig(PARTITIONS, 1, extra_config=settings) for name in topic_names}


TopicAdmin.inspect_topics = _inspect


class Subscription(Source):
    """``url`` speaks graphql-transport-ws."""

    def __init__(self, url: str, topic: str, *, is_tuned: bool) -> None:
        super().__init__(name="bench")
        self._is_tuned = is_tuned
        self._url = url
        self._topic_name = topic

    def default_topic(self) -> Topic:
        return Topic(name=self._topic_name, value_serializer="bytes", key_serializer="bytes")

    def run(self) -> None:
        protocol = Subprotocol("graphql-transport-ws")
        with connect(self._url, subprotocols=[protocol], max_size=None, ping_interval=None) as socket:
            socket.send(json.dumps({"type": "connection_init"}))
            socket.recv()
            payload = {"query": "subscription { rows }"}
            socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            take = self._tuned if self._is_tuned else self._documented
            while self.running:
                take(socket.recv(decode=False))

    def _documented(self, frame: bytes) -> None:
        for row in json.loads(frame)["payload"]["data"]["EVM"]["DEXTrades"]:
            moment = datetime.fromisoformat(row["Block"]["Time"]).timestamp()
            message = self.serialize(
                key=row["Transaction"]["Hash"], value=row, timestamp_ms=int(moment * 1000)
            )
            self.produce(key=message.key, value=message.value, timestamp=message.timestamp)

    def _tuned(self, frame: bytes) -> None:
        for row in orjson.loads(frame)["payload"]["data"]["EVM"]["DEXTrades"]:
            moment = datetime.fromisoformat(row["Block"]["Time"]).timestamp()
            self.produce(
                key=row["Transaction"]["Hash"].encode(),
                value=orjson.dumps(row),
                timestamp=int(moment * 1000),
            )


def main(url: str, brokers: str, topic: str, compression: str, way: str) -> None:
    app = Application(
        broker_address=brokers,
        consumer_group="bench",
        auto_create_topics=False,
        producer_extra_config={
            "acks": "all",
            "enable.idempotence": True,
            "compression.type": compression,
            "linger.ms": 5,
        },
        loglevel="WARNING",
    )
    is_tuned = way == "tuned"
    serializers = ("bytes", "bytes") if is_tuned else ("json", "str")
    app.add_source(
        Subscription(url, topic, is_tuned=is_tuned),
        topic=app.topic(topic, value_serializer=serializers[0], key_serializer=serializers[1]),
    )
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:6])
