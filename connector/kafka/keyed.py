"""Writing what compaction keeps: the last value of each key."""

from __future__ import annotations

import time
from collections.abc import Mapping

from connector.kafka.producer import Producer


async def write_keyed(
    producer: Producer, topic: str, partition: int, values: Mapping[bytes, bytes | None]
) -> None:
    """
    Write each value under its key to ``partition``, stamped with the present time; ``None`` takes the key
    out. Returns once the brokers acknowledged all of them; where it fails, some may be written.

    Raises:
        ConnectorError: What `Producer.write` raises.
    """
    now_ms = time.time_ns() // 1_000_000
    left = list(values.items())
    while left:
        batch = producer.new_batch(producer.max_batch_bytes)
        taken = 0
        for key, value in left:
            fits = (
                batch.delete(key, now_ms)
                if value is None
                else batch.extend([(key, value, now_ms, [], None)]) == 1
            )
            if not fits:
                break
            taken += 1
        await producer.write(batch, topic, partition)
        del left[:taken]
