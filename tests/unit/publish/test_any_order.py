"""Whatever happens in whatever order, no row is lost, and none overtakes another of its partition."""

from collections.abc import Callable, Sequence

import anyio
from anyio.lowlevel import checkpoint
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.kafka import BrokerUnreachable, NotAllowed, ProducerBroken
from connector.publish import EpochPolicy, Epochs, Publisher, PublishSettings, SubmittedRecords
from connector.publish.request_scheduler import RequestScheduler
from tests.unit.publish.fakes import FakeBrokers
from tests.unit.publish.rows import KAFKA, NOW, Seen, add, row, sender_of
from tests.unit.publish.test_dead_letters import DLQ, Mail

PARTITIONS = 3

Step = tuple[str, int]
adds = st.tuples(st.just("add"), st.integers(1, 30))
pauses = st.tuples(st.just("pause"), st.integers(1, 30))
partitions = st.integers(0, PARTITIONS)  # the last stands for the dead-letter topic's only one
failures = st.tuples(st.sampled_from(["break", "refuse", "forget", "lose"]), partitions)
cancels = st.tuples(st.just("cancel"), st.integers(0, 12))
bad = st.tuples(st.just("bad"), st.integers(1, 3))
aborts = st.tuples(st.just("abort"), st.just(1))


async def happen(
    steps: Sequence[Step],
    brokers: FakeBrokers,
    seen: Seen,
    submitted_of: Callable[[Publisher], SubmittedRecords] | None = None,
    epochs: EpochPolicy = EpochPolicy.ACKNOWLEDGED,
) -> list[bytes]:
    """
    Run a publisher through ``steps``, and then until everything is settled; return the good rows.

    Where there are epochs they end again and again; ``abort`` makes the next one begin again instead.
    """
    publisher = Publisher(KAFKA, PublishSettings(epochs=epochs), seen, brokers=brokers)
    submitted = submitted_of(publisher) if submitted_of else seen.submitted
    good: list[bytes] = []
    number = aborts = 0

    async def commit(epochs: Epochs) -> None:
        nonlocal aborts
        while True:
            await anyio.sleep(0.02)
            await epochs.close()
            await anyio.sleep(0.005)
            if aborts:
                aborts -= 1
                epochs.abort()
            else:
                epochs.end()

    def offer(count: int, prefix: bytes) -> None:
        nonlocal number
        rows = [row(prefix + b"%05d" % at, key=b"%d" % (at % 7)) for at in range(number, number + count)]
        number += count
        publisher.add({"t": rows}, submitted.open(rows=count, size=0, received_at=0.0), NOW)
        good.extend(bytes(value) for _, value, _, _ in rows if prefix == b"+")

    async with anyio.create_task_group() as outer:
        scope = anyio.CancelScope()

        async def run() -> None:
            nonlocal scope
            while True:
                with anyio.CancelScope() as scope:
                    await publisher.run()

        outer.start_soon(run)
        if publisher.epochs is not None:
            outer.start_soon(commit, publisher.epochs)
        for name in brokers.topics:
            await publisher.topic(name).ready.wait()
        for kind, argument in steps:
            place = ("t", argument) if argument < PARTITIONS else (DLQ, 0)
            match kind:
                case "add":
                    offer(argument, b"+")
                case "bad":
                    offer(argument, b"-")
                case "pause":
                    await anyio.sleep(argument / 1000)
                case "cancel":
                    for _ in range(argument):
                        await checkpoint()
                    scope.cancel()
                case "abort":
                    aborts += 1
                case "break":
                    brokers.failures[place].append(ProducerBroken("gone"))
                case "refuse":
                    brokers.failures[place].append(NotAllowed("to write"))
                case "forget":
                    brokers.failures[place].append(BrokerUnreachable("silent"))
                case "lose":
                    brokers.lost_answers[place].append(ProducerBroken("gone"))
        await submitted.below(0)
        assert publisher.held == 0
        outer.cancel_scope.cancel()
    return good


def fresh() -> tuple[FakeBrokers, Seen]:
    brokers = FakeBrokers()
    brokers.create(
        "t", PARTITIONS, refuses=lambda record: "invalid" if record.value.startswith(b"-") else None
    )
    return brokers, Seen()


def in_first_order(values: Sequence[bytes]) -> list[bytes]:
    return list(dict.fromkeys(values))


@settings(deadline=None, max_examples=150)
@given(steps=st.lists(adds | adds | pauses | pauses | failures | cancels | bad, max_size=25))
async def test_no_row_is_lost_and_none_overtakes(steps: list[Step]) -> None:
    brokers, seen = fresh()
    good = await happen(steps, brokers, seen)

    written = [in_first_order(brokers.values("t", number)) for number in range(PARTITIONS)]
    assert sorted(value for values in written for value in values) == sorted(good)
    for values in written:
        assert values == sorted(values, key=lambda value: value[1:])
    assert brokers.most_in_flight <= 1
    assert all(submission.pending == 0 for submission in seen.settled)
    assert len(seen.failed) == sum(count for kind, count in steps if kind == "bad")


@settings(deadline=None, max_examples=100)
@given(steps=st.lists(adds | adds | pauses | pauses | failures | cancels | bad | aborts, max_size=25))
async def test_with_epochs_too_no_row_is_lost_and_none_overtakes(steps: list[Step]) -> None:
    brokers, seen = fresh()
    good = await happen(steps, brokers, seen, epochs=EpochPolicy.COMMITTED)

    written = [in_first_order(brokers.values("t", number)) for number in range(PARTITIONS)]
    assert sorted(value for values in written for value in values) == sorted(good)
    for values in written:
        assert values == sorted(values, key=lambda value: value[1:])
    assert brokers.most_in_flight <= 1
    assert all(submission.pending == 0 for submission in seen.settled)
    assert [submission.first for submission in seen.settled] == sorted(
        submission.first for submission in seen.settled
    )
    assert len(seen.failed) == sum(count for kind, count in steps if kind == "bad")


@settings(deadline=None, max_examples=50)
@given(steps=st.lists(adds | pauses, max_size=25))
async def test_without_a_failure_every_row_arrives_once(steps: list[Step]) -> None:
    brokers, seen = fresh()
    good = await happen(steps, brokers, seen)

    written = [brokers.values("t", number) for number in range(PARTITIONS)]
    assert sorted(value for values in written for value in values) == sorted(good)
    assert all(values == sorted(values) for values in written)
    assert seen.rebuilt == 0


@settings(deadline=None, max_examples=50)
@given(steps=st.lists(adds | adds | pauses | bad, max_size=15))
async def test_refused_rows_double_none_of_their_neighbours(steps: list[Step]) -> None:
    brokers, seen = fresh()
    good = await happen(steps, brokers, seen)

    written = [brokers.values("t", number) for number in range(PARTITIONS)]
    assert sorted(value for values in written for value in values) == sorted(good)


@settings(deadline=None, max_examples=150)
@given(steps=st.lists(adds | pauses | failures | failures | cancels | bad | bad, max_size=25))
async def test_no_bad_row_is_lost_and_none_is_through_before_its_dead_letter(steps: list[Step]) -> None:
    brokers, seen = fresh()
    brokers.create(DLQ)
    posts: list[Mail] = []

    def submitted_of(publisher: Publisher) -> SubmittedRecords:
        posts.append(Mail(publisher))
        return posts[0].submitted

    good = await happen(steps, brokers, seen, submitted_of)

    written = {value for number in range(PARTITIONS) for value in brokers.values("t", number)}
    assert written == set(good)
    letters = in_first_order(brokers.values(DLQ))
    assert all(letter.startswith(b"-") for letter in letters)
    assert len(letters) == sum(count for kind, count in steps if kind == "bad")
    assert len(posts[0].delivered) == len(letters)
    assert posts[0].refused == []


async def test_a_sender_cancelled_at_any_step_keeps_its_rows() -> None:
    for steps in range(60):
        brokers, seen = fresh()
        topic, sender = sender_of()
        add(topic, seen, [row(b"+%05d" % number) for number in range(10)])
        async with anyio.create_task_group() as group:
            producer = await brokers.start_producer()
            group.start_soon(sender.run, producer, RequestScheduler())
            for _ in range(steps):
                await checkpoint()
                if steps % 2:
                    await anyio.sleep(0.0005)
            group.cancel_scope.cancel()
        acknowledged = sender.rows_acknowledged
        assert sender.held + acknowledged == 10
        with anyio.move_on_after(1):
            await sender.run(await brokers.start_producer(), RequestScheduler())
        assert in_first_order(brokers.values()) == [b"+%05d" % number for number in range(10)]
