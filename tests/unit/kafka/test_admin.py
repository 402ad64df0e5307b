"""What a topic's settings say."""

import pytest

from connector.kafka import NewTopics, TopicLimits
from connector.kafka.admin import _limits


@pytest.mark.parametrize(
    ("config", "limits"),
    [
        ({}, TopicLimits()),
        ({"max.message.bytes": "1000", "cleanup.policy": "delete"}, TopicLimits(max_batch_bytes=1000)),
        ({"cleanup.policy": "compact"}, TopicLimits(is_compacted=True)),
        ({"cleanup.policy": "delete,compact"}, TopicLimits(is_compacted=True)),
        (
            {"message.timestamp.after.max.ms": "3600000", "message.timestamp.before.max.ms": "5"},
            TopicLimits(future_ms=3_600_000, past_ms=5),
        ),
        ({"max.message.bytes": None, "message.timestamp.after.max.ms": ""}, TopicLimits()),
    ],
)
def test_limits_are_read_where_they_are_told(config: dict[str, str | None], limits: TopicLimits) -> None:
    assert _limits(config) == limits


def test_single_topics_may_have_settings_of_their_own() -> None:
    new = NewTopics(config={"cleanup.policy": "compact", "x": "1"}, exceptions={"d": {"cleanup.policy": "y"}})
    assert new.config_of("t") == {"cleanup.policy": "compact", "x": "1"}
    assert new.config_of("d") == {"cleanup.policy": "y", "x": "1"}
    assert NewTopics().config_of("t") == {}
