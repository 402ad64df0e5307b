"""A consumer that counts rows by number while they flow."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Mapping

from confluent_kafka import Consumer, Message, TopicPartition

from connector.demo.errors import AccountingError, DemoError
from connector.demo.feed import network_of
from connector.demo.upstream import hash_of

POLL = 0.2
"""Seconds that one poll waits for records."""


class CountingConsumer:
    """
    Reads every partition of ``topics`` (name → partitions) from its start, in a thread of its own.

    It reads as rows flow, since the broker keeps little. ``counts`` says how often each row number was
    read; it is complete after `finish`. ``total`` may be read at any time.
    """

    def __init__(self, bootstrap_servers: str, topics: Mapping[str, int]) -> None:
        self.counts: Counter[int] = Counter()
        self.total = 0
        self._partitions = [TopicPartition(name, p, 0) for name, n in topics.items() for p in range(n)]
        self._next = {(name, p): 0 for name, n in topics.items() for p in range(n)}
        self._failure: Exception | None = None
        self._stop = threading.Event()
        self._abandoned = False
        self._read_until = 0.0
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap_servers,
                "group.id": "demo",
                "enable.auto.commit": False,
                # Rows that the broker threw away before they were read are an error, never skipped.
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": 50,
                "log_level": 0,
            }
        )
        self._thread = threading.Thread(target=self._run, name="demo-consumer", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._consumer.assign(self._partitions)
        self._thread.start()

    def finish(self, timeout: float) -> None:
        """
        Read to the end of every partition and stop.

        Raises:
            DemoError: Reading failed, or the end was not reached in ``timeout`` seconds.
        """
        self._read_until = time.monotonic() + timeout
        self._stop.set()
        self._thread.join(timeout + 5)
        if self._failure is not None:
            raise self._failure
        if self._thread.is_alive():
            raise DemoError("the consumer hangs")

    def abandon(self) -> None:
        """Stop without reading to the end, if it still runs."""
        self._abandoned = True
        self._stop.set()
        if self._thread.ident is None:
            self._consumer.close()
        else:
            self._thread.join(5)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._read_some()
            while not self._abandoned and self._lag():
                if time.monotonic() > self._read_until:
                    raise DemoError(f"the consumer is still {self._lag()} records behind")  # noqa: TRY301
                self._read_some()
        except Exception as failure:  # handed to whoever calls `finish`
            self._failure = failure
        finally:
            self._consumer.close()

    def _lag(self) -> int:
        """Return how many records lie ahead."""
        ends = {
            (p.topic, p.partition): self._consumer.get_watermark_offsets(p, timeout=5)[1]
            for p in self._partitions
        }
        return sum(ends[key] - self._next[key] for key in ends)

    def _read_some(self) -> None:
        for message in self._consumer.consume(num_messages=1000, timeout=POLL):
            if error := message.error():
                raise DemoError(f"the consumer cannot go on: {error}")
            self._enter(message)

    def _enter(self, message: Message) -> None:
        topic, partition, offset = message.topic() or "", message.partition() or 0, message.offset()
        expected = self._next[topic, partition]
        if offset != expected:
            raise AccountingError(f"{topic}-{partition}: offset {offset} came where {expected} was due")
        self._next[topic, partition] = offset + 1
        row = json.loads(message.value() or b"null")
        number: int = row["Log"]["Index"]
        if message.key() != hash_of(number).encode() or not topic.endswith(network_of(number)):
            raise AccountingError(f"row {number} has the wrong key or topic")
        self.counts[number] += 1
        self.total += 1
