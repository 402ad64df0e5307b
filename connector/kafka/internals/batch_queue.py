"""The queue of batches inside a producer."""

from __future__ import annotations

from asyncio import Future
from typing import Any

from aiokafka import TopicPartition


class BatchQueue:
    """The batches of ``producer``, an ``AIOKafkaProducer``, that wait to be sent."""

    def __init__(self, producer: Any) -> None:
        self._accumulator = producer._message_accumulator

    def append(self, batch: Any, topic: str, partition: int) -> Future[Any] | None:
        """
        Queue ``batch`` if nothing is in its way, and return what the brokers' answer comes in, else ``None``.

        The partition must be known. ``send_batch`` comes to the same in the end, but is a coroutine, waits
        where the partition has a batch already, and looks at much that the caller knows.
        """
        accumulator = self._accumulator
        if accumulator._closed or accumulator._exception is not None:
            return None
        place = TopicPartition(topic, partition)
        if accumulator._batches.get(place):
            return None
        answer: Future[Any] = accumulator._append_batch(batch, place).future
        return answer
