"""What a topic does with a row before any broker sees it."""

from collections import Counter

import pytest

from connector.kafka import ContentRefused, TopicLimits, positive_hash
from connector.publish.entry import Entry
from connector.publish.topic import Topic
from tests.unit.publish.rows import NOW, Seen, numbered, row


def topic_of(partitions: int, *, limits: TopicLimits | None = None, compressed: bool = False) -> Topic:
    topic = Topic("t", max_batch_bytes=900 * 1024, compressed=compressed)
    topic.limits.learn(limits or TopicLimits())
    topic.grow(partitions)
    return topic


def queued(topic: Topic, partition: int = 0) -> list[Entry]:
    return topic.senders[partition].take_all()


def test_keys_choose_the_partition_and_null_keys_are_spread() -> None:
    topic, seen = topic_of(4), Seen()
    keys = [b"%d" % number for number in range(40)]
    topic.add([row(b"", key=key) for key in keys], seen.submission(40), NOW)
    for number in range(4):
        assert [entry[0] for entry in queued(topic, number)] == [
            key for key in keys if positive_hash(key) % 4 == number
        ]
    topic.add(numbered(range(20)), seen.submission(20), NOW)
    topic.add(numbered(range(20)), seen.submission(20), NOW)
    assert [sender.held for sender in topic.senders] == [10, 10, 10, 10]


@pytest.mark.parametrize(
    ("limits", "moment", "stamp"),
    [
        (TopicLimits(), None, NOW),
        (TopicLimits(), NOW - 10**10, NOW - 10**10),
        (TopicLimits(), 0, 0),
        (TopicLimits(), -1, NOW),
        (TopicLimits(), NOW + 3_600_000, NOW + 3_600_000),
        (TopicLimits(), NOW + 3_600_001, NOW),
        (TopicLimits(future_ms=10), NOW + 10, NOW + 10),
        (TopicLimits(future_ms=10), NOW + 11, NOW),
        (TopicLimits(future_ms=9_000_000_000_000_000_000), NOW * 1000, NOW * 1000),
        (TopicLimits(past_ms=10), NOW - 10, NOW - 10),
        (TopicLimits(past_ms=10), NOW - 11, NOW),
    ],
)
def test_event_times_that_the_topic_takes_are_the_timestamp(
    limits: TopicLimits, moment: int | None, stamp: int
) -> None:
    topic, seen = topic_of(1, limits=limits), Seen()
    topic.add([row(b"x", moment=moment, headers=[("h", b"1")])], seen.submission(1), NOW)
    (entry,) = queued(topic)
    replaced = moment is not None and moment != stamp
    assert entry[2] == stamp
    assert entry[3] == [("h", b"1")] + [("event_time", b"%d" % (moment or 0))] * replaced
    assert topic.limits.times_replaced == replaced


def test_what_is_learned_of_times_only_narrows() -> None:
    topic, seen = topic_of(1), Seen()
    topic.limits.learn_time(NOW + 1000, NOW)
    topic.limits.learn_time(NOW + 2000, NOW)
    topic.limits.learn_time(NOW - 1000, NOW)
    topic.limits.learn_time(NOW - 2000, NOW)
    moments = [NOW + 500, NOW + 501, NOW - 500, NOW - 501]
    topic.add([row(b"", moment=at) for at in moments], seen.submission(4), NOW)
    assert [entry[2] for entry in queued(topic)] == [NOW + 500, NOW, NOW - 500, NOW]


def test_a_row_above_a_known_limit_is_given_up_at_once_and_its_neighbours_are_not() -> None:
    topic, seen = topic_of(1, limits=TopicLimits(max_batch_bytes=1000)), Seen()
    rows = [row(b"a" * 939), row(b"b" * 940), row(b"c" * 930, key=b"d" * 9), row(b"c" * 930, key=b"d" * 10)]
    submission = seen.submission(4)
    topic.add(rows, submission, NOW)
    assert [entry[1][:1] for entry in queued(topic)] == [b"a", b"c"]
    assert [str(error) for error in submission.errors] == [
        "a row of 940 bytes is larger than topic t allows (max.message.bytes=1000)"
    ] * 2
    assert all(isinstance(error, ContentRefused) for error in submission.errors)


@pytest.mark.parametrize(
    ("limits", "compressed"), [(TopicLimits(), False), (TopicLimits(max_batch_bytes=1000), True)]
)
def test_where_only_the_broker_knows_large_rows_are_tried(limits: TopicLimits, compressed: bool) -> None:
    topic, seen = topic_of(1, limits=limits, compressed=compressed), Seen()
    topic.add([row(b"a" * 2_000_000)], seen.submission(1), NOW)
    assert len(queued(topic)) == 1


def test_what_was_refused_as_too_large_is_not_tried_larger_again() -> None:
    topic, seen = topic_of(1), Seen()
    topic.add([row(b"a" * 1000)], seen.submission(1), NOW)
    topic.limits.learn_row_size(queued(topic)[0])
    submission = seen.submission(3)
    topic.add([row(b"b" * 1031), row(b"c" * 1000), row(b"d" * 5000)], submission, NOW)
    assert [entry[1][:1] for entry in queued(topic)] == [b"c"]
    assert len(submission.errors) == 2

    compressed = topic_of(1, compressed=True)
    compressed.add([row(b"a" * 1000)], seen.submission(1), NOW)
    compressed.limits.learn_row_size(queued(compressed)[0])
    compressed.add([row(b"d" * 5000)], seen.submission(1), NOW)
    assert len(queued(compressed)) == 1


def test_a_compacted_topic_is_not_asked_about_rows_without_keys() -> None:
    topic, seen = topic_of(1, limits=TopicLimits(is_compacted=True)), Seen()
    submission = seen.submission(3)
    topic.add([row(b"a", key=b"k"), row(b"b"), row(b"c", key=b"")], submission, NOW)
    assert [bytes(entry[1]) for entry in queued(topic)] == [b"a", b"c"]
    (record,) = seen.bad
    assert (record.value, record.reason, record.topic, record.partition) == (b"b", "invalid", "t", 0)


def test_fewer_partitions_fold_rows_where_their_keys_go_now_in_order() -> None:
    topic, seen = topic_of(5), Seen()
    keys = [b"%d" % (number % 10) for number in range(100)]
    rows = [row(b"%d" % number, key=key) for number, key in enumerate(keys)]
    topic.add([*rows, *numbered(range(10))], seen.submission(110), NOW)
    topic.fold(2)
    by_sender = [queued(topic, number) for number in range(2)]
    held = [entry for entries in by_sender for entry in entries]
    assert len(topic.senders) == 2
    assert Counter(entry[0] for entry in held) == Counter([*keys, *[None] * 10])
    # Rows of the senders that stay are left alone, wherever their keys would go now.
    for number, entries in enumerate(by_sender):
        moved = [entry[0] for entry in entries if entry[0] and positive_hash(entry[0]) % 5 >= 2]
        assert moved
        assert all(positive_hash(key) % 2 == number for key in moved)
    for key in set(keys):
        numbers = [int(bytes(entry[1])) for entry in held if entry[0] == key]
        assert numbers == sorted(numbers)


def test_it_says_what_it_waits_for() -> None:
    topic = topic_of(0)
    assert topic.explain() == "topic t is waited for: kafka has not answered yet"
    topic.error = "no"
    assert topic.explain() == "no"
