"""What a topic's settings say."""

import pytest

from connector.kafka import NewTopics, TopicLimits


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
    assert TopicLimits().with_config(config) == limits


def test_what_is_not_told_stays_as_it_was() -> None:
    known = TopicLimits(max_batch_bytes=1000, future_ms=1, past_ms=2, is_compacted=True)
    assert known.with_config({}) == known
    assert known.with_config({"max.message.bytes": "5", "cleanup.policy": "delete"}) == TopicLimits(
        max_batch_bytes=5, future_ms=1, past_ms=2
    )


def test_single_topics_may_have_settings_of_their_own() -> None:
    new = NewTopics(config={"cleanup.policy": "compact", "x": "1"}, exceptions={"d": {"cleanup.policy": "y"}})
    assert new.config_of("t") == {"cleanup.policy": "compact", "x": "1"}
    assert new.config_of("d") == {"cleanup.policy": "y", "x": "1"}
    assert NewTopics().config_of("t") == {}
