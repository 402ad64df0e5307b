"""A sender whose next batch is put together while one is in flight."""

from collections.abc import Callable

import anyio
import pytest

from connector.errors import ConnectorError
from connector.kafka import ContentRefused, ProducerBroken
from connector.publish.request_scheduler import RequestScheduler
from connector.publish.topic import Topic
from tests.unit.publish.fakes import LATENCY, FakeBrokers, Record
from tests.unit.publish.rows import NOW, Seen, add, numbered, sender_of, sender_running

CAP = 1000
FULL = 58
"""Rows of six bytes that a batch of `CAP` bytes holds: (1000 - 61) // 16."""


def values(rows: int) -> list[bytes]:
    return [b"%06d" % number for number in range(rows)]


async def under_way(topic: Topic, seen: Seen) -> None:
    """Put rows in until a full batch is acknowledged, one in flight and one ready, with two more behind."""
    (sender,) = topic.senders
    add(topic, seen, numbered(range(2 * FULL)))
    while sender.rows_acknowledged < FULL or sender.waiting_since is None:  # noqa: ASYNC110
        await anyio.sleep(0.001)
    add(topic, seen, numbered(range(2 * FULL, 4 * FULL)))
    add(topic, seen, numbered(range(4 * FULL, 5 * FULL)))
    assert (sender.rows_acknowledged, sender.held, len(sender.queue)) == (FULL, 4 * FULL, 2 * FULL)


async def test_a_full_batch_is_ready_before_its_turn_and_a_smaller_one_goes_on_growing(
    brokers: FakeBrokers,
) -> None:
    seen = Seen()
    topic, sender = sender_of(max_batch_bytes=CAP)
    async with sender_running(sender, brokers):
        add(topic, seen, numbered(range(FULL + 5)))
        while sender.rows_acknowledged < FULL or sender.waiting_since is None:  # noqa: ASYNC110
            await anyio.sleep(0.001)
        add(topic, seen, numbered(range(FULL + 5, 2 * FULL)))
        assert len(sender.queue) == FULL - 5  # too few yet
        add(topic, seen, numbered(range(2 * FULL, 2 * FULL + 5)))
        assert not sender.queue
        await seen.all_settled()
    assert [len(batch) for batch in brokers.batches["t", 0]] == [FULL, 5, FULL]
    assert brokers.values() == values(2 * FULL + 5)
    assert brokers.most_in_flight == 1


async def test_what_a_full_batch_holds_is_learned_anew_where_rows_become_smaller(
    brokers: FakeBrokers,
) -> None:
    seen = Seen()
    topic, sender = sender_of(max_batch_bytes=100 * CAP, linger=10 * LATENCY)
    async with sender_running(sender, brokers):
        add(topic, seen, numbered(range(3), size=50 * CAP))  # each fills a batch
        await seen.all_settled()
        for number in range(3, 1003):
            add(topic, seen, numbered([number]))
            await anyio.sleep(LATENCY / 10)
        await seen.all_settled()
    sizes = [len(batch) for batch in brokers.batches["t", 0]]
    assert min(sizes[-4:-1]) >= 90  # what comes while a batch lingers
    assert [int(value[-6:]) for value in brokers.values()] == list(range(1003))


@pytest.mark.parametrize("failure", [ProducerBroken("x"), ContentRefused("corrupt", "x")])
async def test_what_was_ready_goes_back_behind_what_was_in_flight(
    brokers: FakeBrokers, failure: ConnectorError
) -> None:
    seen = Seen()
    topic, sender = sender_of(max_batch_bytes=CAP)
    async with sender_running(sender, brokers):
        await under_way(topic, seen)
        brokers.lost_answers["t", 0].append(failure)
        await seen.all_settled()
    assert list(dict.fromkeys(brokers.values())) == values(5 * FULL)


def refusing(bad: int) -> Callable[[Record], str | None]:
    return lambda record: "invalid" if int(record.value) == bad else None


@pytest.mark.parametrize("bad", [FULL, 2 * FULL - 1, 2 * FULL, 3 * FULL + 1])
async def test_a_bad_row_is_found_whatever_is_ready_behind_it(bad: int) -> None:
    brokers, seen = FakeBrokers(), Seen()
    brokers.create("t", refuses=refusing(bad))
    topic, sender = sender_of(max_batch_bytes=CAP)
    async with sender_running(sender, brokers):
        await under_way(topic, seen)
        await seen.all_settled()
    assert brokers.values() == [value for value in values(5 * FULL) if int(value) != bad]
    assert len(seen.failed) == 1


async def test_a_row_that_is_mended_stays_before_what_was_ready() -> None:
    def in_the_past(record: Record) -> str | None:
        return "timestamp" if record.timestamp == NOW else None

    brokers, seen = FakeBrokers(), Seen()
    strict = brokers.create("t")
    topic, sender = sender_of(max_batch_bytes=CAP)
    async with sender_running(sender, brokers):
        add(topic, seen, numbered(range(2), size=CAP // 2))  # each fills a batch
        while sender.rows_acknowledged < 1 or sender.waiting_since is None:  # noqa: ASYNC110
            await anyio.sleep(0.001)
        strict.refuses = in_the_past
        add(topic, seen, numbered(range(2, 4), size=CAP // 2))
        await seen.all_settled()
    assert [int(value) for value in brokers.values()] == list(range(4))


async def test_cancelling_gives_everything_back_in_order(brokers: FakeBrokers) -> None:
    seen = Seen()
    topic, sender = sender_of(max_batch_bytes=CAP)
    async with sender_running(sender, brokers):
        await under_way(topic, seen)
    assert [bytes(entry[1]) for entry in sender.queue] == values(5 * FULL)[FULL:]
    assert (sender.held, sender.waiting_since) == (4 * FULL, None)


async def test_what_is_ready_stays_behind_a_closed_scheduler(brokers: FakeBrokers) -> None:
    seen = Seen()
    (topic, sender), scheduler = sender_of(max_batch_bytes=CAP), RequestScheduler()
    async with anyio.create_task_group() as group:
        group.start_soon(sender.run, await brokers.start_producer(), scheduler)
        await under_way(topic, seen)
        scheduler.closed = True
        await anyio.sleep(1)
        assert (sender.rows_acknowledged, sender.waiting_since) == (2 * FULL, None)
        group.cancel_scope.cancel()
    assert [bytes(entry[1]) for entry in sender.queue] == values(5 * FULL)[2 * FULL :]
