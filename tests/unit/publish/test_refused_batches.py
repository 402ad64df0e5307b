"""A batch refused for its content is taken apart until the bad rows are known."""

import time
from collections.abc import Callable

import pytest

from connector.kafka import ContentRefused
from connector.publish.bisection import Bisection
from tests.unit.publish.fakes import FakeBrokers, Record
from tests.unit.publish.rows import NOW, Seen, add, numbered, row, sender_of, sender_running

ROWS = 100
HOUR = 3_600_000


def refusing(reason: str, bad: set[int]) -> Callable[[Record], str | None]:
    return lambda record: reason if int(record.value) in bad else None


@pytest.mark.parametrize(
    "bad", [{0}, {ROWS - 1}, {50}, {49, 50}, {0, ROWS - 1}, {3, 4, 5, 60, 61, 99}], ids=str
)
@pytest.mark.parametrize("reason", ["invalid", "too_large"])
async def test_bad_rows_are_given_up_and_all_others_arrive_in_order(bad: set[int], reason: str) -> None:
    brokers, seen = FakeBrokers(), Seen()
    brokers.create("t", refuses=refusing(reason, bad))
    topic, sender = sender_of()
    cap = topic.limits.cap
    submission = add(topic, seen, numbered(range(ROWS)))
    async with sender_running(sender, brokers):
        await seen.all_settled()

    assert brokers.values() == [b"%06d" % number for number in range(ROWS) if number not in bad]
    assert len(submission.errors) == len(seen.failed) == len(bad)
    assert all(isinstance(error, ContentRefused) and error.reason == reason for error in seen.failed)
    assert brokers.refused <= len(bad) * 14  # about twice the logarithm of ROWS for each
    assert topic.limits.cap == cap  # batches were not too large, rows were


async def test_rows_that_are_all_bad_cost_one_refusal_each() -> None:
    brokers, seen = FakeBrokers(), Seen()
    brokers.create("t", refuses=lambda record: "invalid")
    topic, sender = sender_of()
    add(topic, seen, numbered(range(ROWS)))
    async with sender_running(sender, brokers):
        await seen.all_settled()
    assert len(seen.failed) == ROWS
    assert brokers.refused <= ROWS + 8


async def test_the_message_of_a_row_given_up_shows_nothing_of_it(brokers: FakeBrokers) -> None:
    seen = Seen()
    brokers.create("t", refuses=lambda record: "invalid")
    topic, sender = sender_of()
    add(topic, seen, [row(b"payload")])
    async with sender_running(sender, brokers):
        await seen.all_settled()
    (error,) = seen.failed
    assert "topic t refuses a row of 7 bytes" in str(error)
    assert "payload" not in repr(error)


async def test_a_batch_too_large_though_no_row_is_teaches_the_cap() -> None:
    brokers, seen = FakeBrokers(), Seen()
    brokers.create("t", limit=20_000)
    topic, sender = sender_of()
    add(topic, seen, numbered(range(90), size=1000))
    async with sender_running(sender, brokers):
        await seen.all_settled()
        learned = brokers.refused
        assert learned <= 4
        assert topic.limits.cap < 20_000
        add(topic, seen, numbered(range(90, 1000), size=1000))
        await seen.all_settled()

    assert brokers.refused == learned  # never again
    assert brokers.values() == [b"%01000d" % number for number in range(1000)]
    assert max(len(batch) for batch in brokers.batches["t", 0]) >= 8


async def test_one_giant_among_rows_does_not_shrink_batches() -> None:
    brokers, seen = FakeBrokers(), Seen()
    brokers.create("t", limit=200_000)
    topic, sender = sender_of(max_batch_bytes=150_000)
    cap = topic.limits.cap
    add(topic, seen, [*numbered(range(60), size=1000), row(b"0" * 300_000), *numbered([60], size=1000)])
    async with sender_running(sender, brokers):
        await seen.all_settled()
    assert topic.limits.cap == cap
    assert len(seen.failed) == 1
    assert brokers.values() == [b"%01000d" % number for number in range(61)]


async def test_a_giant_in_batches_that_are_too_large_as_well() -> None:
    brokers, seen = FakeBrokers(), Seen()
    brokers.create("t", limit=20_000)
    topic, sender = sender_of()
    add(topic, seen, [*numbered(range(99), size=1000), row(b"0" * 30_000)])
    async with sender_running(sender, brokers):
        await seen.all_settled()
        assert len(seen.failed) == 1
        add(topic, seen, numbered(range(99, 300), size=1000))
        await seen.all_settled()
        learned = brokers.refused
        add(topic, seen, numbered(range(300, 600), size=1000))
        await seen.all_settled()
    assert brokers.refused == learned
    assert brokers.values() == [b"%01000d" % number for number in range(600)]


def ahead(limit: int) -> Callable[[Record], str | None]:
    return lambda record: "timestamp" if (record.timestamp or 0) > time.time() * 1000 + limit else None


async def test_a_refused_event_time_goes_into_a_header_and_is_counted() -> None:
    brokers, seen = FakeBrokers(), Seen()
    brokers.create("t", refuses=ahead(HOUR // 4))
    topic, sender = sender_of()
    now = round(time.time() * 1000)
    soon = now + HOUR // 2  # within Kafka's default, so that only the brokers know better
    rows = [*numbered(range(10)), row(b"10", moment=soon, headers=[("a", b"b")]), *numbered(range(11, 20))]
    add(topic, seen, rows, now)
    async with sender_running(sender, brokers):
        await seen.all_settled()

    records = brokers.records()
    assert [int(record.value) for record in records] == list(range(20))
    assert records[10].headers == [("a", b"b"), ("event_time", b"%d" % soon)]
    assert now <= (records[10].timestamp or 0) <= time.time() * 1000 + 1
    assert all(record.headers == [] for record in records if record is not records[10])
    assert topic.limits.times_replaced == 1
    assert seen.failed == []
    assert rows[10][3] == [("a", b"b")]  # rows share headers: they must not change


async def test_the_limit_of_event_times_is_learned_from_one_refusal() -> None:
    brokers, seen = FakeBrokers(), Seen()
    brokers.create("t", refuses=ahead(HOUR // 4))
    topic, sender = sender_of()
    now = round(time.time() * 1000)
    soon = [row(b"%d" % number, moment=now + HOUR // 2 + number) for number in range(ROWS)]
    add(topic, seen, soon, now)
    async with sender_running(sender, brokers):
        await seen.all_settled()
        refused = brokers.refused
        assert refused <= 8
        add(topic, seen, soon, now)
        await seen.all_settled()
    assert brokers.refused == refused
    assert topic.limits.times_replaced == 2 * ROWS
    assert len(brokers.records()) == 2 * ROWS


async def test_old_event_times_that_only_the_brokers_refuse() -> None:
    brokers, seen = FakeBrokers(), Seen()
    now = round(time.time() * 1000)
    brokers.create("t", refuses=lambda record: "timestamp" if (record.timestamp or 0) < now - HOUR else None)
    topic, sender = sender_of()
    old = [row(b"%d" % number, moment=now - 2 * HOUR + number * 36_000) for number in range(ROWS)]
    add(topic, seen, old, now)  # a backlog: each row is younger than the last
    async with sender_running(sender, brokers):
        await seen.all_settled()
    assert brokers.refused <= 9
    assert [dict(record.headers)["event_time"] for record in brokers.records()] == [
        b"%d" % (moment or 0) for _, _, moment, _ in old
    ]


async def test_a_row_whose_present_time_is_refused_too_is_given_up() -> None:
    brokers, seen = FakeBrokers(), Seen()
    brokers.create("t", refuses=lambda record: "timestamp" if record.value == b"7" else None)
    topic, sender = sender_of()
    add(topic, seen, [row(b"6"), row(b"7", moment=NOW), row(b"8")])
    async with sender_running(sender, brokers):
        await seen.all_settled()
    assert brokers.values() == [b"6", b"8"]
    assert [getattr(error, "reason", None) for error in seen.failed] == ["timestamp"]


async def test_a_present_time_that_grew_old_in_an_outage_is_replaced() -> None:
    brokers, seen = FakeBrokers(), Seen()
    old = lambda record: "timestamp" if (record.timestamp or 0) < time.time() * 1000 - HOUR else None  # noqa: E731
    brokers.create("t", refuses=old)
    topic, sender = sender_of()
    then = round(time.time() * 1000) - 3 * HOUR
    add(topic, seen, [row(b"1", moment=then + 10 * HOUR)], then)  # restamped by `add`, three hours ago
    async with sender_running(sender, brokers):
        await seen.all_settled()
    (record,) = brokers.records()
    assert record.headers == [("event_time", b"%d" % (then + 10 * HOUR))]
    assert seen.failed == []


def test_bisection_narrow_to_the_bad_half_and_widen_after_it_was_found() -> None:
    bisection = Bisection()
    bisection.refused(100, 5000, "too_large")
    assert (bisection.left, bisection.chunk) == (100, 50)
    assert not bisection.cleared(50, acknowledged=True)
    assert (bisection.left, bisection.chunk) == (50, 25)
    bisection.refused(25, 1250, "too_large")
    assert (bisection.left, bisection.chunk) == (50, 12)
    bisection.blame()
    assert not bisection.cleared(1, acknowledged=False)
    assert bisection.chunk == 1
    assert not bisection.cleared(1, acknowledged=True)
    assert bisection.chunk == 2
    assert bisection.learned_cap is None
    assert bisection.cleared(48, acknowledged=True)


def test_bisection_learn_from_the_smallest_batch_that_was_too_large() -> None:
    bisection = Bisection()
    bisection.refused(100, 5000, "too_large")
    bisection.refused(50, 2500, "too_large")
    bisection.refused(25, 100, "timestamp")
    assert bisection.learned_cap == 1250
