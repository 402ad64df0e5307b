"""A sender: order, one batch in flight, rows given back."""

from collections.abc import Callable, Sequence

import anyio
import pytest

from connector.errors import ConnectorError
from connector.kafka import (
    Batch,
    BrokerUnreachable,
    ContentRefused,
    NotAllowed,
    ProducerBroken,
    QueueFull,
    TopicMissing,
)
from connector.publish import Submission, SubmittedRecords, Topic
from connector.publish.partition_sender import PartitionSender
from connector.publish.request_scheduler import RequestScheduler
from tests.unit.publish.fakes import LATENCY, FakeBrokers, FakeProducer
from tests.unit.publish.rows import NOW, Seen, add, numbered, sender_of, sender_running


def in_flight(sender: PartitionSender) -> int:
    return int(sender.waiting_since is not None)


async def test_rows_arrive_in_order_in_batches_that_grow_meanwhile(brokers: FakeBrokers) -> None:
    seen = Seen()
    topic, sender = sender_of()
    async with sender_running(sender, brokers):
        await anyio.sleep(1)
        for number in range(50):
            add(topic, seen, numbered([number]))
            await anyio.sleep(0.001)  # a tenth of what a batch takes
        await seen.all_settled()

    assert brokers.values() == [b"%06d" % number for number in range(50)]
    assert brokers.most_in_flight == 1
    sizes = [len(batch) for batch in brokers.batches["t", 0]]
    assert sizes[0] == 1
    assert len(sizes) < 10
    assert (sender.held, sender.rows_acknowledged) == (0, 50)


async def test_a_batch_stays_below_the_cap_and_within_what_the_producer_takes(brokers: FakeBrokers) -> None:
    seen = Seen()
    topic, sender = sender_of(max_batch_bytes=1000)
    add(topic, seen, numbered(range(20), size=100))
    async with sender_running(sender, brokers):
        await seen.all_settled()
    assert [len(batch) for batch in brokers.batches["t", 0]] == [8, 8, 4]  # (1000 - 61) // 110

    brokers = FakeBrokers(capacity=400)
    brokers.create("t")
    topic, sender = sender_of()
    add(topic, seen, numbered(range(20), size=100))
    async with sender_running(sender, brokers):
        await seen.all_settled()
    assert {len(batch) for batch in brokers.batches["t", 0]} == {3, 2}
    assert brokers.values() == [b"%0100d" % number for number in range(20)]


async def test_linger_waits_for_more_rows(brokers: FakeBrokers) -> None:
    seen = Seen()
    topic, sender = sender_of(linger=0.5)
    async with sender_running(sender, brokers):
        for number in range(5):
            add(topic, seen, numbered([number]))
            await anyio.sleep(0.1)
        await seen.all_settled()
    assert [len(batch) for batch in brokers.batches["t", 0]] == [5]


@pytest.mark.parametrize("error", [ProducerBroken("x"), NotAllowed("to write")])
async def test_a_broken_producer_gives_the_rows_back_in_order(
    brokers: FakeBrokers, error: BrokerUnreachable
) -> None:
    seen = Seen()
    topic, sender = sender_of()
    brokers.failures["t", 0].extend([error, error])
    add(topic, seen, numbered(range(5)))
    failure = await sender.run(await brokers.start_producer(), RequestScheduler())

    assert failure is error
    assert (sender.held, sender.waiting_since) == (5, None)
    add(topic, seen, numbered(range(5, 8)))
    async with sender_running(sender, brokers):
        await seen.all_settled()
    assert brokers.values() == [b"%06d" % number for number in range(8)]


async def test_a_sender_pauses_after_a_failure_however_often_it_is_started(brokers: FakeBrokers) -> None:
    seen = Seen()
    topic, sender = sender_of()
    brokers.failures["t", 0].append(NotAllowed("to write"))
    add(topic, seen, numbered([1]))
    producer = await brokers.start_producer()
    began = anyio.current_time()
    await sender.run(producer, RequestScheduler())
    while sender.held:
        with anyio.move_on_after(0.05):  # its siblings' trouble ends it again and again
            await sender.run(await brokers.start_producer(), RequestScheduler())
    assert anyio.current_time() - began >= 0.2
    # Sent again where the answer did not come in time.
    assert set(brokers.values()) == {b"000001"}


@pytest.mark.parametrize("error", [QueueFull("full"), BrokerUnreachable("silent")])
async def test_a_batch_that_was_not_taken_is_offered_again(
    brokers: FakeBrokers, error: BrokerUnreachable
) -> None:
    seen = Seen()
    topic, sender = sender_of()
    brokers.failures["t", 0].extend([error] * 3)
    add(topic, seen, numbered(range(3)))
    async with sender_running(sender, brokers):
        await seen.all_settled()
    assert brokers.values() == [b"%06d" % number for number in range(3)]
    assert len(brokers.producers) == 1


async def test_a_missing_topic_ends_the_run_and_the_producer_goes_on() -> None:
    brokers, seen = FakeBrokers(), Seen()
    topic, sender = sender_of()
    add(topic, seen, numbered(range(3)))
    producer = await brokers.start_producer()
    assert isinstance(await sender.run(producer, RequestScheduler()), TopicMissing)
    assert sender.held == 3
    brokers.create("t")
    with anyio.move_on_after(5):
        await sender.run(producer, RequestScheduler())
    assert brokers.values() == [b"%06d" % number for number in range(3)]


async def test_nothing_is_sent_once_the_scheduler_is_closed_and_what_is_in_flight_may_land(
    brokers: FakeBrokers,
) -> None:
    seen = Seen()
    topic, sender = sender_of()
    async with sender_running(sender, brokers) as scheduler:
        add(topic, seen, numbered([1]))
        await anyio.sleep(LATENCY * 1.4)  # one for the producer, and not yet another one
        assert in_flight(sender) == 1
        scheduler.closed = True
        add(topic, seen, numbered([2]))
        await anyio.sleep(10)
        # Sent again where the answer did not come in time.
        assert set(brokers.values()) == {b"000001"}
        assert (sender.held, in_flight(sender)) == (1, 0)


async def test_a_batch_that_is_not_taken_does_not_wait_behind_a_closed_scheduler(
    brokers: FakeBrokers,
) -> None:
    seen = Seen()
    topic, sender = sender_of()
    brokers.failures["t", 0].extend([BrokerUnreachable("silent")] * 1000)
    async with sender_running(sender, brokers) as scheduler:
        add(topic, seen, numbered([1]))
        await anyio.sleep(1)
        assert in_flight(sender) == 1
        scheduler.closed = True
        await anyio.sleep(1)
        assert in_flight(sender) == 0
        assert sender.held == 1


async def test_cancelling_gives_back_what_is_in_flight(brokers: FakeBrokers) -> None:
    seen = Seen()
    topic, sender = sender_of()
    add(topic, seen, numbered(range(3)))
    brokers.freeze()
    with anyio.move_on_after(1):
        async with sender_running(sender, brokers):
            add(topic, seen, numbered([3]))
            await anyio.sleep_forever()
    brokers.thaw()
    async with sender_running(sender, brokers):
        await seen.all_settled()
    assert brokers.values() == [b"%06d" % number for number in range(4)]


async def test_an_answer_that_comes_after_the_rows_were_taken_back_counts_for_nothing(
    brokers: FakeBrokers,
) -> None:
    seen = Seen()
    topic, sender = sender_of()
    first, second = Answering(brokers), Answering(brokers)
    add(topic, seen, numbered(range(3)))
    with anyio.move_on_after(1):
        await sender.run(first, RequestScheduler())
    add(topic, seen, numbered(range(3, 10)))
    async with anyio.create_task_group() as group:
        group.start_soon(sender.run, second, RequestScheduler())
        await anyio.sleep(1)
        (late,), (answered,) = first.offered, second.offered
        late(None)
        late(ProducerBroken("closed"))
        await anyio.sleep(1)
        assert (sender.held, sender.rows_acknowledged, in_flight(sender)) == (10, 0, 1)
        answered(None)
        assert (sender.held, sender.rows_acknowledged) == (0, 10)
        group.cancel_scope.cancel()


async def test_a_missing_topic_keeps_no_other_sender_from_sending(brokers: FakeBrokers) -> None:
    seen, producer, scheduler = Seen(), Answering(brokers), RequestScheduler()
    topic, sender = sender_of()
    add(topic, seen, numbered(range(3)))
    async with anyio.create_task_group() as group:
        group.start_soon(sender.run, producer, scheduler)
        await anyio.sleep(1)
        producer.offered[0](TopicMissing("t"))
        await anyio.sleep(1)
    assert (sender.held, scheduler.closed) == (3, False)


async def test_what_goes_wrong_while_rows_are_accounted_for_ends_the_run(brokers: FakeBrokers) -> None:
    seen = Seen()
    topic, sender = sender_of()

    def settled(submissions: Sequence[Submission]) -> None:
        raise ZeroDivisionError

    topic.add(
        numbered([1]),
        SubmittedRecords(settled, seen.submitted.bad).open(rows=1, size=1, received_at=0.0),
        NOW,
    )
    with anyio.fail_after(5), pytest.raises(ZeroDivisionError):
        await sender.run(await brokers.start_producer(), RequestScheduler())


async def test_what_goes_wrong_while_a_batch_is_put_together_ends_the_run(
    brokers: FakeBrokers, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Seen()
    topic, sender = sender_of()
    producer = await brokers.start_producer()
    monkeypatch.setattr(producer, "new_batch", lambda cap: 1 // 0)
    add(topic, seen, numbered(range(3)))
    with anyio.fail_after(5), pytest.raises(ZeroDivisionError):
        await sender.run(producer, RequestScheduler())
    assert (sender.held, len(sender.queue)) == (3, 3)


async def test_no_sender_begins_another_batch_once_one_was_refused(brokers: FakeBrokers) -> None:
    producer, scheduler, seen = Answering(brokers), RequestScheduler(), Seen()
    topic = Topic("t", max_batch_bytes=900 * 1024, compressed=False)
    topic.grow(4)
    failures = []

    async def run(sender: PartitionSender) -> None:
        failures.append(await sender.run(producer, scheduler))

    async with anyio.create_task_group() as group:
        for sender in topic.senders:
            group.start_soon(run, sender)
        await anyio.sleep(0.1)
        for _ in range(2):  # a batch of each sender, and rows for another
            topic.add(numbered(range(400)), seen.submission(400), NOW)
            topic.wake()
            await anyio.sleep(0.1)
        assert len(producer.offered) == 4
        offered, producer.offered = producer.offered, []
        offered[0](ContentRefused("invalid", "no"))
        for answered in offered[1:]:  # by the same response
            answered(None)
        await anyio.sleep(1)
        assert producer.offered == []
        assert [type(failure) for failure in failures] == [ContentRefused]
        assert [sender.rows_acknowledged for sender in topic.senders] == [0, 100, 100, 100]
        group.cancel_scope.cancel()


class Answering(FakeProducer):
    """Takes every batch, and leaves it to the test to answer."""

    def __init__(self, brokers: FakeBrokers) -> None:
        super().__init__(brokers)
        self.offered: list[Callable[[ConnectorError | None], None]] = []

    def offer(
        self, batch: Batch, topic: str, partition: int, answered: Callable[[ConnectorError | None], None]
    ) -> bool:
        self.offered.append(answered)
        return True
