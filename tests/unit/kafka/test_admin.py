"""What a topic's settings say."""

import pytest

from connector.kafka import TopicLimits
from connector.kafka.admin import _limits


@pytest.mark.parametrize(
    ("config", "limits"),
    [
        ({}, TopicLimits()),
        ({"max.message.bytes": "1000", "cleanup.policy": "compact"}, TopicLimits(max_batch_bytes=1000)),
        (
            {"message.timestamp.after.max.ms": "3600000", "message.timestamp.before.max.ms": "5"},
            TopicLimits(future_ms=3_600_000, past_ms=5),
        ),
        ({"max.message.bytes": None, "message.timestamp.after.max.ms": ""}, TopicLimits()),
    ],
)
def test_limits_are_read_where_they_are_told(config: dict[str, str | None], limits: TopicLimits) -> None:
    assert _limits(config) == limits
