"""Dead letters: what they stand for is through when the brokers have them, and not before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import pytest

from connector.errors import DataError
from connector.kafka import NewTopics, NotAllowed, ProducerBroken, TopicLimits
from connector.publish import (
    DeadLetterOrigin,
    DeadLetters,
    Publisher,
    PublishSettings,
    Submission,
    SubmittedRecords,
)
from connector.records.bad import BadRecord
from tests.unit.publish.fakes import FakeBrokers, Record
from tests.unit.publish.rows import NOW, Seen, bad_row, numbered, publishing, row

DLQ = "dlq"


class Mail:
    """A submitted whose bad rows become dead letters, and what was told of them."""

    def __init__(self, publisher: Publisher) -> None:
        self.settled: list[Submission] = []
        self.delivered: list[BadRecord] = []
        self.refused: list[DataError] = []
        self.sizes: list[int] = []
        self.submitted = SubmittedRecords(self.settled.extend, self._bad)
        self.letters = DeadLetters(publisher, DLQ, DeadLetterOrigin(connector="c", task=0))
        self._publisher = publisher

    def _bad(self, record: BadRecord, submission: Submission) -> bool:
        self.sizes.append(self.letters.add(record, submission, self))
        return True

    def dead_lettered(self, record: BadRecord) -> None:
        self.delivered.append(record)

    def undeliverable(self, record: BadRecord, error: DataError) -> None:
        self.refused.append(error)

    async def ready(self, *topics: str) -> None:
        for name in (DLQ, *topics):
            await self._publisher.topic(name).ready.wait()

    def frame(self, *values: bytes, key: bytes | None = None, topic: str = "t") -> Submission:
        submission = self.submitted.open(rows=len(values), size=0, received_at=0.0)
        self._publisher.add({topic: [row(value, key=key) for value in values]}, submission, NOW)
        return submission

    async def all_settled(self) -> None:
        await self.submitted.below(0)


def bad(record: Record) -> str | None:
    return "invalid" if record.value.startswith(b"bad") else None


@asynccontextmanager
async def mail(
    brokers: FakeBrokers, settings: PublishSettings | None = None
) -> AsyncIterator[tuple[Mail, Publisher]]:
    async with publishing(brokers, Seen(), settings) as publisher:
        yield Mail(publisher), publisher


@pytest.fixture
def brokers() -> FakeBrokers:
    """Brokers that refuse what begins with ``bad`` in ``t``, and have a dead-letter topic."""
    brokers = FakeBrokers()
    brokers.create("t", refuses=bad)
    brokers.create(DLQ)
    return brokers


async def test_a_refused_row_is_found_in_the_dead_letter_topic_and_its_neighbours_where_they_belong(
    brokers: FakeBrokers,
) -> None:
    async with mail(brokers) as (post, _):
        await post.ready("t")
        submission = post.frame(b"1", b"bad2", b"3", b"bad4", b"5", key=b"k")
        await post.all_settled()
    assert brokers.values() == [b"1", b"3", b"5"]
    assert brokers.values(DLQ) == [b"bad2", b"bad4"]
    letter = brokers.records(DLQ)[0]
    assert letter.key == b"k"
    assert dict(letter.headers)["__connect.errors.topic"] == b"t"
    assert dict(letter.headers)["__connect.errors.partition"] == b"0"
    assert letter.timestamp is not None
    assert letter.timestamp > NOW  # it is stamped when it is written
    assert len(submission.errors) == len(post.delivered) == 2
    assert post.refused == []


async def test_a_row_is_not_through_before_the_brokers_have_its_dead_letter(brokers: FakeBrokers) -> None:
    brokers.latency[DLQ, 0] = 50.0
    async with mail(brokers) as (post, _):
        await post.ready("t")
        first, second = post.frame(b"1", b"bad2"), post.frame(b"3")
        await anyio.sleep(20)
        assert brokers.values() == [b"1", b"3"]
        assert (first.pending, second.pending) == (1, 0)
        assert (post.settled, post.delivered) == ([], [])
        await post.all_settled()
        assert post.settled == [first, second]
        assert len(post.delivered) == 1
    assert brokers.values(DLQ) == [b"bad2"]


@pytest.mark.parametrize(
    "trouble",
    [
        lambda brokers: brokers.freeze(),
        lambda brokers: brokers.failures[DLQ, 0].extend([NotAllowed("to write to topic dlq")] * 10_000),
        lambda brokers: brokers.failures[DLQ, 0].extend([ProducerBroken("gone")] * 10_000),
        lambda brokers: brokers.topics.pop(DLQ),
    ],
    ids=["frozen", "not allowed", "broken", "gone"],
)
async def test_trouble_with_the_dead_letter_topic_is_waited_for_and_drops_nothing(
    brokers: FakeBrokers, trouble: Callable[[FakeBrokers], None]
) -> None:
    async with mail(brokers) as (post, publisher):
        await post.ready("t")
        trouble(brokers)
        submission = post.frame(b"1", b"bad2", b"3")
        await anyio.sleep(600)
        assert submission.pending >= 1
        assert publisher.held >= 1
        assert (post.settled, post.refused, post.delivered) == ([], [], [])
        assert len(submission.errors) <= 1
        brokers.thaw()
        brokers.failures[DLQ, 0].clear()
        if DLQ not in brokers.topics:
            brokers.create(DLQ)
        await post.all_settled()
    assert sorted(set(brokers.values())) == [b"1", b"3"]
    assert brokers.values(DLQ) == [b"bad2"]
    assert len(submission.errors) == 1


async def test_trouble_with_the_dead_letter_topic_holds_no_good_row_up(brokers: FakeBrokers) -> None:
    async with mail(brokers) as (post, _):
        await post.ready("t")
        brokers.failures[DLQ, 0].extend([NotAllowed("to write to topic dlq")] * 10_000)
        post.frame(b"bad")
        began = anyio.current_time()
        for number in range(50):
            post.frame(b"%d" % number)
            await anyio.sleep(1)
        while len(brokers.values()) < 50:  # noqa: ASYNC110 - nothing tells of it
            await anyio.sleep(0.1)
        assert anyio.current_time() - began < 100
        assert post.settled == []
        brokers.failures[DLQ, 0].clear()
        await post.all_settled()
    assert brokers.values(DLQ) == [b"bad"]


async def test_dead_letters_survive_broken_producers_and_lost_answers(brokers: FakeBrokers) -> None:
    brokers.lost_answers[DLQ, 0].append(ProducerBroken("gone"))
    brokers.failures[DLQ, 0].append(ProducerBroken("gone"))
    async with mail(brokers) as (post, _):
        await post.ready("t")
        post.frame(b"bad1", b"2")
        await post.all_settled()
        assert len(post.delivered) == 1
    assert set(brokers.values(DLQ)) == {b"bad1"}


async def test_a_dead_letter_is_cut_to_what_the_topic_is_known_to_take() -> None:
    brokers = FakeBrokers()
    brokers.create("t", limit=4000)
    brokers.create(DLQ, limit=2000)
    value = b"%09d" % 7 * 1000
    async with mail(brokers, PublishSettings(create=NewTopics())) as (post, _):
        await post.ready("t")
        post.frame(b"1", value, b"2")
        await post.all_settled()
    (letter,) = brokers.records(DLQ)
    assert value.startswith(letter.value)
    assert 500 < len(letter.value) < 2000
    assert dict(letter.headers)["original_bytes"] == b"9000"
    assert brokers.values() == [b"1", b"2"]
    assert brokers.refused == 0


async def test_where_the_limit_is_not_known_a_dead_letter_is_cut_once_refused_and_the_next_at_once() -> None:
    brokers = FakeBrokers()
    brokers.create("t", refuses=bad)
    brokers.create(DLQ, limit=5000, limits=TopicLimits())
    async with mail(brokers) as (post, _):
        await post.ready("t")
        post.frame(b"bad" * 40_000)
        await post.all_settled()
        cut = [len(value) for value in brokers.values(DLQ)]
        refused = brokers.refused
        assert refused < 10
        post.frame(b"bad" * 40_000)
        await post.all_settled()
        assert brokers.refused == refused + 1  # by its own topic
        assert post.refused == []
    assert 1000 < cut[0] < 5000
    assert len(brokers.values(DLQ)[1]) == cut[0]
    assert all(dict(letter.headers)["original_bytes"] == b"120000" for letter in brokers.records(DLQ))


@pytest.mark.parametrize("reason", ["too_large", "invalid", "timestamp"])
async def test_what_the_dead_letter_topic_refuses_in_every_form_is_told_and_through(reason: str) -> None:
    brokers = FakeBrokers()
    brokers.create("t", refuses=bad)
    brokers.create(DLQ, refuses=lambda record: reason)
    async with mail(brokers) as (post, _):
        await post.ready("t")
        submission = post.frame(b"1", b"bad" * 1000, b"2")
        await post.all_settled()
        assert [str(error) for error in post.refused] == [
            f"topic dlq refuses a row of {0 if reason == 'too_large' else 3000} bytes: refused for {reason}"
        ]
        assert post.delivered == []
        assert submission.pending == 0
    assert brokers.values(DLQ) == []
    assert brokers.values() == [b"1", b"2"]


async def test_a_dead_letter_that_cannot_fit_at_all_is_told_at_once() -> None:
    brokers = FakeBrokers()
    brokers.create("t", refuses=bad)
    brokers.create(DLQ, limit=50)
    async with mail(brokers, PublishSettings(create=NewTopics())) as (post, _):
        await post.ready("t")
        post.frame(b"bad", key=b"k" * 100)
        await post.all_settled()
        assert len(post.refused) == 1


async def test_dead_letters_go_where_their_keys_do_and_are_spread_without() -> None:
    brokers = FakeBrokers()
    brokers.create("t", refuses=lambda record: "invalid")
    brokers.create(DLQ, 4)
    async with mail(brokers) as (post, _):
        await post.ready("t")
        post.frame(*[b"%d" % number for number in range(8)])
        await post.all_settled()
        assert [len(brokers.values(DLQ, number)) for number in range(4)] == [2, 2, 2, 2]
        post.frame(*[b"k%d" % number for number in range(8)], key=b"k")
        await post.all_settled()
    assert sorted(len(brokers.values(DLQ, number)) for number in range(4)) == [2, 2, 2, 10]


async def test_what_a_dead_letter_takes_in_memory_is_told(brokers: FakeBrokers) -> None:
    async with mail(brokers) as (post, _):
        await post.ready("t")
        post.frame(b"bad" * 1000)
        await post.all_settled()
        (letter,) = brokers.records(DLQ)
        headers = sum(len(name) + len(content) for name, content in letter.headers)
        assert headers < post.sizes[0] < headers + 300  # its value is the row's


async def test_rows_of_one_frame_in_two_topics_and_a_bad_one_share_the_submission(
    brokers: FakeBrokers,
) -> None:
    brokers.create("u")
    async with mail(brokers) as (post, publisher):
        await post.ready("t", "u")
        submission = post.submitted.open(rows=4, size=0, received_at=0.0)
        submission.given_up(bad_row(b"no record"))
        publisher.add({"t": [row(b"1"), row(b"bad2")], "u": numbered([3])}, submission, NOW)
        await post.all_settled()
        assert (submission.pending, len(submission.errors)) == (0, 2)
    assert sorted(brokers.values(DLQ)) == [b"bad2", b"no record"]
