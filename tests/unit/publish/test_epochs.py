"""Where a commit makes durable: rows are kept until their epoch ends, and then told of in order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio
import pytest

from connector.kafka import NewTopics, ProducerBroken, TopicLimits
from connector.publish import EpochPolicy, Epochs, Publisher, PublishSettings, Submission
from connector.records.record import SourceRecord
from tests.unit.publish.fakes import LATENCY, FakeBrokers
from tests.unit.publish.rows import NOW, Seen, bad_row, numbered, publish, publishing, row
from tests.unit.publish.test_dead_letters import DLQ, Mail

COMMITTED = PublishSettings(epochs=EpochPolicy.COMMITTED)


@asynccontextmanager
async def committing(brokers: FakeBrokers, seen: Seen) -> AsyncIterator[tuple[Publisher, Epochs]]:
    async with publishing(brokers, seen, COMMITTED) as publisher:
        assert publisher.epochs is not None
        for name in brokers.topics:
            await publisher.topic(name).ready.wait()
        yield publisher, publisher.epochs


def values(*numbers: int) -> list[bytes]:
    return [b"%06d" % number for number in numbers]


async def test_by_default_there_are_no_epochs(brokers: FakeBrokers) -> None:
    async with publishing(brokers, Seen()) as publisher:
        assert publisher.epochs is None


async def test_submissions_are_passed_on_in_order_when_the_epoch_ends_and_not_before(
    brokers: FakeBrokers,
) -> None:
    seen, other = Seen(), Seen()
    async with committing(brokers, seen) as (publisher, epochs):
        submissions = [seen.submission(2, 100), other.submission(1, 50), seen.submission(1, 10)]
        publisher.add({"t": numbered([0, 1])}, submissions[0], NOW)
        publisher.add({"t": numbered([2])}, submissions[1], NOW)
        publisher.add({"t": numbered([3])}, submissions[2], NOW)
        assert await epochs.close() == tuple(submissions)
        await anyio.sleep(60)
        assert (brokers.values(), publisher.held) == (values(0, 1, 2, 3), 0)
        assert (seen.settled, other.settled) == ([], [])
        assert (seen.submitted.held, other.submitted.held) == (110, 50)  # memory counts until then
        epochs.end()
        assert (seen.settled, other.settled) == ([submissions[0], submissions[2]], [submissions[1]])
        assert (seen.submitted.held, other.submitted.held) == (0, 0)
        assert await epochs.close() == ()


async def test_an_aborted_epoch_is_sent_again_in_order_with_what_came_meanwhile_behind_it(
    brokers: FakeBrokers,
) -> None:
    seen = Seen()
    brokers.create("t", 2)
    async with committing(brokers, seen) as (publisher, epochs):
        rows = [row(b"%06d" % number, key=b"%d" % number) for number in range(40)]
        for start in range(0, 30, 10):  # in several batches
            publisher.add({"t": rows[start : start + 10]}, seen.submission(10), NOW)
            await anyio.sleep(LATENCY / 2)
        await epochs.close()
        publisher.add({"t": rows[30:]}, seen.submission(10), NOW)
        once = [brokers.values("t", number) for number in range(2)]
        assert sum(len(of_partition) for of_partition in once) == 30
        epochs.abort()
        assert len(await epochs.close()) == 4
        for number in range(2):
            again = brokers.values("t", number)[len(once[number]) :]
            assert again[: len(once[number])] == once[number]
            assert again == sorted(again)
        assert seen.settled == []
        epochs.end()
        assert len(seen.settled) == 4
    assert sum(len(brokers.values("t", number)) for number in range(2)) == 70
    assert seen.rebuilt == 0


async def test_what_a_broken_producer_got_acknowledged_is_sent_again_by_the_next(
    brokers: FakeBrokers,
) -> None:
    seen = Seen()
    async with committing(brokers, seen) as (publisher, epochs):
        publisher.add({"t": numbered(range(5))}, seen.submission(5), NOW)
        while publisher.held:  # noqa: ASYNC110
            await anyio.sleep(LATENCY)
        brokers.failures["t", 0].append(ProducerBroken("gone"))
        publisher.add({"t": numbered(range(5, 8))}, seen.submission(3), NOW)
        assert len(await epochs.close()) == 2
        epochs.end()
        first, second = brokers.producers
        assert first.acknowledged == values(*range(5))
        assert second.acknowledged == values(*range(8))
    assert len(seen.settled) == 2


async def test_a_producer_that_is_lost_leaves_a_closed_epoch_to_who_closed_it(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with committing(brokers, seen) as (publisher, epochs):
        publisher.add({"t": numbered(range(5))}, seen.submission(5), NOW)
        await epochs.close()
        epochs.producer_lost()
        await anyio.sleep(1)
        assert publisher.held == 0
        epochs.end()
        assert len(seen.settled) == 1
    assert brokers.values() == values(*range(5))


async def test_what_is_added_once_the_epoch_is_being_closed_is_sent_in_the_next(brokers: FakeBrokers) -> None:
    seen = Seen()
    brokers.latency["t", 0] = 2.0
    async with committing(brokers, seen) as (publisher, epochs):
        before, after = seen.submission(1), seen.submission(2)
        publisher.add({"t": numbered([0])}, before, NOW)
        async with anyio.create_task_group() as group:
            group.start_soon(epochs.close)
            await anyio.sleep(1)
            publisher.add({"t": numbered([1, 2])}, after, NOW)
            assert publisher.held == 3
        await anyio.sleep(60)
        assert (brokers.values(), publisher.held) == (values(0), 2)
        epochs.end()
        assert seen.settled == [before]
        assert await epochs.close() == (after,)
        epochs.end()
        assert seen.settled == [before, after]
    assert brokers.values() == values(0, 1, 2)


async def test_event_times_replaced_in_rows_that_waited_are_told_later(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with committing(brokers, seen) as (publisher, epochs):
        await epochs.close()
        assert publisher.add({"t": [row(b"0", moment=10**15)]}, seen.submission(1), NOW) == 0
        epochs.end()
        await epochs.close()
    assert dict(brokers.records()[0].headers)["event_time"] == b"%d" % 10**15


async def test_an_epoch_waits_for_every_topic_of_a_submission(brokers: FakeBrokers) -> None:
    seen = Seen()
    brokers.create("slow")
    brokers.latency["slow", 0] = 5.0
    async with committing(brokers, seen) as (publisher, epochs):
        publisher.add({"t": numbered([0]), "slow": numbered([1])}, seen.submission(2), NOW)
        with anyio.move_on_after(4) as scope:
            await epochs.close()
        assert scope.cancelled_caught
        with anyio.fail_after(2):
            await epochs.close()


async def test_cancelled_closing_opens_the_epoch_again(brokers: FakeBrokers) -> None:
    seen = Seen()
    brokers.latency["t", 0] = 5.0
    async with committing(brokers, seen) as (publisher, epochs):
        publisher.add({"t": numbered([0])}, seen.submission(1), NOW)
        with anyio.move_on_after(4):
            async with anyio.create_task_group() as group:
                group.start_soon(epochs.close)
                await anyio.sleep(1)
                publisher.add({"t": numbered([1])}, seen.submission(1), NOW)
                await anyio.sleep_forever()
        assert len(await epochs.close()) == 2
    assert brokers.values() == values(0, 1)


async def test_an_epoch_ends_only_after_it_was_closed(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with committing(brokers, seen) as (publisher, epochs):
        publisher.add({"t": numbered([0])}, seen.submission(1), NOW)
        for early in (epochs.end, epochs.abort):
            with pytest.raises(RuntimeError, match="not closed"):
                early()
        await epochs.close()
        with pytest.raises(RuntimeError, match="closed before"):
            await epochs.close()
        epochs.abort()
        with pytest.raises(RuntimeError, match="not closed"):
            epochs.end()


async def test_a_submission_whose_rows_are_all_given_up_is_passed_on_with_its_epoch() -> None:
    brokers, seen = FakeBrokers(), Seen()
    brokers.create("t", refuses=lambda record: "invalid" if record.value.startswith(b"-") else None)
    async with committing(brokers, seen) as (publisher, epochs):
        bad = seen.submission(2)
        publisher.add({"t": [row(b"-1"), row(b"-2")]}, bad, NOW)
        assert await epochs.close() == (bad,)
        assert (len(seen.bad), len(bad.errors), seen.settled) == (2, 2, [])
        epochs.end()
        assert seen.settled == [bad]


async def test_a_bad_row_is_found_though_all_before_it_is_sent_again_each_time() -> None:
    brokers, seen = FakeBrokers(), Seen()
    brokers.create("t", refuses=lambda record: "invalid" if int(record.value) == 76 else None)
    async with committing(brokers, seen) as (publisher, epochs):
        publisher.add({"t": numbered(range(100))}, seen.submission(100), NOW)
        await epochs.close()
        epochs.end()
    assert len(seen.failed) == 1
    assert brokers.refused <= 8
    # What was taken once is sent again in one batch, not in the small ones of the search.
    assert len(brokers.batches["t", 0]) < 60
    assert brokers.producers[-1].acknowledged == values(*(at for at in range(100) if at != 76))


async def test_fewer_partitions_lose_nothing_that_was_kept(brokers: FakeBrokers) -> None:
    seen = Seen()
    brokers.create("t", 3)
    async with committing(brokers, seen) as (publisher, epochs):
        publisher.add({"t": numbered(range(9))}, seen.submission(9), NOW)
        await anyio.sleep(1)
        assert publisher.held == 0
        brokers.create("t", 1)
        brokers.batches.clear()
        await anyio.sleep(60)  # it is looked at now and then
        await epochs.close()
        epochs.end()
    assert sorted(brokers.values()) == values(*range(9))
    assert len(seen.settled) == 1


async def test_a_dead_letter_is_told_with_the_epoch_of_its_row(brokers: FakeBrokers) -> None:
    brokers.create("t", refuses=lambda record: "invalid" if record.value == b"bad" else None)
    brokers.create(DLQ)
    async with committing(brokers, Seen()) as (publisher, epochs):
        post = Mail(publisher)
        submission = post.frame(b"1", b"bad", b"2")
        assert await epochs.close() == (submission,)
        assert (brokers.values(DLQ), post.delivered, post.settled) == ([b"bad"], [], [])
        epochs.end()
        assert (len(post.delivered), post.settled) == (1, [submission])


async def test_an_epoch_never_ends_inside_a_submission_whose_dead_letter_went_before_its_rows(
    brokers: FakeBrokers,
) -> None:
    brokers.create(DLQ)
    async with committing(brokers, Seen()) as (publisher, epochs):
        post = Mail(publisher)
        whole = post.frame(b"0")
        submission = post.submitted.open(rows=2, size=0, received_at=0.0)
        submission.given_up(bad_row(b"no record"))
        closed: list[Sequence[Submission]] = []

        async def close() -> None:
            closed.append(await epochs.close())

        async with anyio.create_task_group() as group:
            group.start_soon(close)
            await anyio.sleep(60)
            assert (brokers.values(DLQ), publisher.held, closed) == ([b"no record"], 0, [])
            rows: list[SourceRecord] = numbered([1])
            publisher.add({"t": rows}, submission, NOW)  # its topic is ready only now
        assert closed == [(whole, submission)]
        epochs.end()
        assert post.settled == [whole, submission]
    assert brokers.values() == [b"0", b"000001"]


async def test_an_epoch_is_complete_when_the_last_rows_are_given_up_as_they_are_added() -> None:
    brokers = FakeBrokers()
    brokers.create("t", limits=TopicLimits(max_batch_bytes=1000))
    brokers.create(DLQ)
    async with publishing(
        brokers, Seen(), PublishSettings(epochs=EpochPolicy.COMMITTED, create=NewTopics())
    ) as publisher:
        post = Mail(publisher)
        await post.ready("t")
        assert publisher.epochs is not None
        submission = post.submitted.open(rows=2, size=0, received_at=0.0)
        submission.given_up(bad_row(b"no record"))
        post.submitted.bad = lambda record, submission: False  # skipped
        with anyio.fail_after(70):
            async with anyio.create_task_group() as group:
                group.start_soon(publisher.epochs.close)
                await anyio.sleep(60)
                publisher.add({"t": [row(b"0" * 2000)]}, submission, NOW)
        publisher.epochs.end()
        assert post.settled == [submission]


async def test_rows_of_a_submission_that_is_through_join_nothing(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with committing(brokers, seen) as (publisher, epochs):
        submission = seen.submission(1)
        submission.given_up(bad_row())
        publisher.add({}, submission, NOW)
        assert seen.settled == [submission]
        assert epochs.is_at_boundary
        await publish(publisher, seen, numbered([0]))
        assert not epochs.is_at_boundary
