"""Source offsets in Kafka: what a record of one looks like, and the topic that holds them."""

from connector.publish.offsets.offsets_topic import OffsetsTopic
from connector.publish.offsets.record import OffsetRecord, OpenRange, bounded
from connector.publish.offsets.stored import StoredOffset, StoredOffsets
from connector.publish.offsets.verdict import (
    OffsetsRefused,
    newer_format,
    wrong_partitions,
    wrong_policy,
)

__all__ = [
    "OffsetRecord",
    "OffsetsRefused",
    "OffsetsTopic",
    "OpenRange",
    "StoredOffset",
    "StoredOffsets",
    "bounded",
    "newer_format",
    "wrong_partitions",
    "wrong_policy",
]
