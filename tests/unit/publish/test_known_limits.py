"""What is known of the rows that a topic accepts."""

from connector.kafka import TopicLimits
from connector.publish.known_limits import DEFAULT_FUTURE_MS, KnownLimits
from tests.unit.publish.rows import NOW


def limits(told: TopicLimits | None = None) -> KnownLimits:
    known = KnownLimits(max_batch_bytes=900 * 1024, compressed=False)
    known.learn(told or TopicLimits())
    return known


def test_batches_are_no_larger_than_the_topic_takes_and_what_is_learned_only_shrinks_them() -> None:
    assert limits(TopicLimits(max_batch_bytes=1000)).cap == 1000
    known = limits()
    assert known.cap == 900 * 1024
    known.learn_batch_size(500)
    known.learn_batch_size(600)
    assert known.cap == 500


def test_what_is_learned_of_times_only_narrows() -> None:
    known = limits()
    assert known.window(NOW) == (0, NOW + DEFAULT_FUTURE_MS)
    for distance in (1000, 2000, -1000, -2000):
        known.learn_time(NOW + distance, NOW)
    assert known.window(NOW) == (NOW - 500, NOW + 500)


def test_what_brokers_say_replaces_what_refusals_taught() -> None:
    known = limits()
    known.learn_batch_size(500)
    known.learn_time(NOW + 1000, NOW)
    known.learn(TopicLimits(max_batch_bytes=2000, future_ms=9, past_ms=7))
    assert (known.cap, known.certain, known.window(NOW)) == (2000, 2000, (NOW - 7, NOW + 9))
