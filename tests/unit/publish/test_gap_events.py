"""Events wait beside the rows, in their order and within a bound; what finds no room is told as one."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import msgspec
import pytest
from structlog.testing import capture_logs

from connector.kafka import NewTopics, NotAllowed, ProducerBroken
from connector.publish import EventsTopic, Gap, GapEvents, Publisher, PublishSettings
from connector.publish.gap_events import MOST, ROOM
from tests.unit.publish.fakes import FakeBrokers, Record
from tests.unit.publish.rows import Seen, numbered, publish, publishing

TOPIC = "events"


class Told:
    """Satisfies `GapEventObserver`."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.not_written: list[str] = []

    def gap_event(self, event: str) -> None:
        self.written.append(event)

    def gap_event_not_written(self, reason: str) -> None:
        self.not_written.append(reason)


class Post:
    """A subscription's events on their way, and what the brokers hold of them."""

    def __init__(self, publisher: Publisher, brokers: FakeBrokers) -> None:
        self.publisher = publisher
        self.topic = EventsTopic(publisher, TOPIC, connector="c")
        self.told = Told()
        self.events = self.of("s")
        self._brokers = brokers
        self._number = itertools.count()

    def of(self, name: str) -> GapEvents:
        return self.topic.of(name, self.told)

    def gap(self, **known: Any) -> Gap:
        """A gap that begins a second after the one before."""
        number = next(self._number)
        return Gap(id=f"g{number}", since_ms=number * 1000, **{"reason": "closed", **known})

    def open(self, events: GapEvents | None = None) -> Gap:
        gap = self.gap()
        (events or self.events).opened(gap)
        return gap

    def end(self, gap: Gap, *, rows: int | None = None) -> None:
        self.events.unfilled(ended(gap, rows=rows))

    def pass_by(self, gaps: int) -> None:
        """Let so many begin and end."""
        for _ in range(gaps):
            self.end(self.open())

    def read(self, name: str = "s") -> list[dict[str, Any]]:
        """What the brokers hold of a subscription."""
        found = [msgspec.json.decode(value) for value in self._brokers.values(TOPIC)]
        return [event for event in found if event["subscription"] == name]

    def pairs(self) -> list[tuple[str, str]]:
        return [(event["event"], event["id"]) for event in self.read()]


def ended(gap: Gap, *, rows: int | None = None) -> Gap:
    return Gap(id=gap.id, since_ms=gap.since_ms, until_ms=gap.since_ms + 500, reason=gap.reason, rows=rows)


@asynccontextmanager
async def posting(brokers: FakeBrokers) -> AsyncIterator[Post]:
    async with publishing(brokers, Seen()) as publisher:
        post = Post(publisher, brokers)
        async with anyio.create_task_group() as group:
            group.start_soon(post.topic.run)
            yield post
            group.cancel_scope.cancel()


@pytest.fixture
def brokers() -> FakeBrokers:
    brokers = FakeBrokers()
    brokers.create(TOPIC)
    return brokers


def is_in_order(pairs: list[tuple[str, str]]) -> bool:
    """Whether each beginning is followed by its end."""
    beginnings, ends = pairs[::2], pairs[1::2]
    return [name for _, name in beginnings] == [name for _, name in ends] and {
        kind for kind, _ in beginnings
    } <= {"gap_opened"}


async def test_an_event_says_what_is_known_of_its_gap(brokers: FakeBrokers) -> None:
    async with posting(brokers) as post:
        post.end(post.open(), rows=7)
        await post.events.drain()
    opened, over = post.read()
    assert opened.pop("at") <= over.pop("at")
    assert opened == {
        "event": "gap_opened",
        "version": 1,
        "connector": "c",
        "subscription": "s",
        "id": "g0",
        "since": 0,
        "until": None,
        "reason": "closed",
        "rows_missed": None,
    }
    assert over == {**opened, "event": "gap_unfilled", "until": 500, "rows_missed": 7}
    assert post.told.written == ["gap_opened", "gap_unfilled"]


async def test_the_key_is_the_subscription_and_the_headers_are_those_of_rows(brokers: FakeBrokers) -> None:
    async with posting(brokers) as post:
        post.open()
        await post.events.drain()
    (record,) = brokers.records(TOPIC)
    assert record.key == b"s"
    assert record.headers == [("connector", b"c"), ("subscription", b"s")]


async def test_what_is_told_before_the_topic_is_there_is_sent_once_it_is() -> None:
    brokers = FakeBrokers()
    async with posting(brokers) as post:
        gap = post.open()
        await anyio.sleep(30)
        assert post.events.undelivered == 1
        brokers.create(TOPIC)
        await anyio.sleep(60)  # nothing else is told meanwhile
        assert post.pairs() == [("gap_opened", gap.id)]
        assert post.events.undelivered == 0


@pytest.mark.parametrize(
    "trouble",
    [
        lambda brokers: brokers.failures[TOPIC, 0].extend([NotAllowed("to write")] * 10_000),
        lambda brokers: brokers.latency.__setitem__((TOPIC, 0), 1e9),
        lambda brokers: brokers.topics.pop(TOPIC),
    ],
    ids=["not allowed", "silent", "gone"],
)
async def test_trouble_with_the_events_topic_holds_no_row_up(
    brokers: FakeBrokers, trouble: Callable[[FakeBrokers], None]
) -> None:
    brokers.create("t")
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        post = Post(publisher, brokers)
        await publisher.topic(TOPIC).ready.wait()
        await publish(publisher, seen, numbered([0]))
        trouble(brokers)
        post.open()
        for number in range(1, 20):
            await publish(publisher, seen, numbered([number]))
            await anyio.sleep(1)
        await seen.all_settled()
        assert [int(value) for value in brokers.values()] == list(range(20))
        assert post.events.undelivered == 1


async def test_lost_producers_cost_no_event_and_no_order(brokers: FakeBrokers) -> None:
    async with posting(brokers) as post:
        for _ in range(40):
            post.pass_by(1)
            brokers.lost_answers[TOPIC, 0].append(ProducerBroken("gone"))
            await anyio.sleep(0.7)
        brokers.lost_answers[TOPIC, 0].clear()
        await post.events.drain()
    unique = list(dict.fromkeys(post.pairs()))  # at least once
    assert len(unique) == 80
    assert len(post.pairs()) > 80
    assert is_in_order(unique)


async def test_subscriptions_keep_events_of_their_own(brokers: FakeBrokers) -> None:
    brokers.latency[TOPIC, 0] = 5.0
    async with posting(brokers) as post:
        other = post.of("other")
        post.open()
        post.open(other)
        assert post.of("other") is other
        assert [post.topic.undelivered(name) for name in ("s", "other", "nobody")] == [1, 1, 0]
        await post.topic.drain("other")
        await post.topic.drain("nobody")
        post.topic.forget("other")
        assert post.of("other") is not other
    assert len(post.read("other")) == 1


# Bounds


async def test_an_outage_without_end_takes_no_more_than_the_bound(brokers: FakeBrokers) -> None:
    async with posting(brokers) as post:
        post.pass_by(1)
        await post.events.drain()
        brokers.freeze()
        with capture_logs() as lines:
            post.pass_by(5000)
        assert post.events.undelivered == MOST + 1
        merged = 5000 - MOST // 2
        assert post.told.not_written == ["merged"] * merged
        (line,) = [line for line in lines if "merged" in line["event"]]
        assert (line["subscription"], line["topic"], line["log_level"]) == ("s", TOPIC, "warning")
        brokers.thaw()
        await post.events.drain()
        assert post.events.undelivered == 0
        *told, opened, over = post.read()[2:]
        assert len(told) == MOST
        assert is_in_order(post.pairs())
        first, last = (1 + MOST // 2) * 1000, 5000 * 1000 + 500
        assert (opened["event"], opened["since"], opened["until"]) == ("gap_opened", first, None)
        assert (over["event"], over["since"], over["until"]) == ("gap_unfilled", first, last)
        assert opened["id"] == over["id"]
        assert (opened["reason"], over["reason"], over["rows_missed"]) == ("merged", "merged", None)


async def test_merged_gaps_are_told_once_there_is_room_and_not_only_at_the_end(brokers: FakeBrokers) -> None:
    async with posting(brokers) as post:
        await post.publisher.topic(TOPIC).ready.wait()
        brokers.freeze()
        post.pass_by(MOST)
        brokers.thaw()
        await anyio.sleep(30)
        assert post.events.undelivered == 0
        assert post.read()[-1]["reason"] == "merged"
        post.pass_by(1)
        await post.events.drain()
    assert [event["reason"] for event in post.read()[-2:]] == ["closed"] * 2
    assert is_in_order(post.pairs())


async def test_a_gap_that_is_merged_and_goes_on_is_open_until_its_end(brokers: FakeBrokers) -> None:
    async with posting(brokers) as post:
        await post.publisher.topic(TOPIC).ready.wait()
        brokers.freeze()
        post.pass_by(MOST)
        last = post.open()
        brokers.thaw()
        await anyio.sleep(30)
        assert (post.read()[-1]["event"], post.read()[-1]["reason"]) == ("gap_opened", "merged")
        assert post.events.undelivered == 0
        post.end(last)
        await post.events.drain()
    opened, over = post.read()[-2:]
    assert (over["event"], over["id"]) == ("gap_unfilled", opened["id"])
    assert over["until"] == last.since_ms + 500


async def test_a_gap_that_was_told_ends_as_itself_though_others_are_merged(brokers: FakeBrokers) -> None:
    async with posting(brokers) as post:
        await post.publisher.topic(TOPIC).ready.wait()
        brokers.freeze()
        first = post.open()
        for _ in range(2 * MOST):
            post.open()
        post.end(first)
        assert post.told.not_written == ["merged"] * (MOST + 1)
        brokers.thaw()
        await post.events.drain()
    assert ("gap_unfilled", first.id) in post.pairs()


async def test_the_rows_of_merged_gaps_are_known_where_those_of_each_are(brokers: FakeBrokers) -> None:
    for last, rows in ((5, 4 + 5), (None, None)):
        brokers.batches.clear()
        async with posting(brokers) as post:
            await post.publisher.topic(TOPIC).ready.wait()
            brokers.freeze()
            post.pass_by(MOST // 2)
            post.end(post.open(), rows=4)
            post.end(post.open(), rows=last)
            brokers.thaw()
            await post.events.drain()
        assert post.read()[-1]["rows_missed"] == rows


def test_there_is_room_before_merged_gaps_are_told() -> None:
    assert 0 < ROOM < MOST


# The end


async def test_waiting_for_the_end_may_be_cut_short_and_what_is_left_is_named(brokers: FakeBrokers) -> None:
    async with posting(brokers) as post:
        await post.publisher.topic(TOPIC).ready.wait()
        brokers.freeze()
        post.pass_by(2)
        with anyio.move_on_after(20) as waiting:
            await post.events.drain()
        assert waiting.cancelled_caught
        with capture_logs() as lines:
            post.topic.say_the_rest()
        (line,) = lines
        assert (line["event"], line["subscription"], line["events"], line["log_level"]) == (
            "gap events are lost: kafka has not acknowledged them",
            "s",
            4,
            "error",
        )
        brokers.thaw()
        await post.events.drain()
        with capture_logs() as lines:
            post.topic.say_the_rest()
        assert lines == []
    assert len(post.pairs()) == 4


@pytest.mark.parametrize("refused", ["gap_opened", "gap_unfilled"])
async def test_what_the_topic_refuses_for_its_content_is_told_and_the_others_go_on(refused: str) -> None:
    def refuses(record: Record) -> str | None:
        return "invalid" if refused.encode() in record.value and b'"g1"' in record.value else None

    brokers = FakeBrokers()
    brokers.create(TOPIC, refuses=refuses)
    async with posting(brokers) as post:
        with capture_logs() as lines:
            post.pass_by(3)
            await post.events.drain()
    assert len(post.pairs()) == 5
    assert post.told.not_written == ["refused"]
    assert len(post.told.written) == 5
    (line,) = [line for line in lines if line["event"].startswith("gap event is lost")]
    assert (line["subscription"], line["gap_event"]) == ("s", refused)


async def test_a_topic_that_can_never_take_any_costs_events_and_nothing_else() -> None:
    brokers = FakeBrokers()
    brokers.create(TOPIC, limit=10)
    async with publishing(brokers, Seen(), PublishSettings(create=NewTopics())) as publisher:
        post = Post(publisher, brokers)
        post.pass_by(600)  # all wait, and are refused at once
        await post.events.drain()
        assert post.events.undelivered == 0
    assert post.pairs() == []
    assert set(post.told.not_written) == {"merged", "refused"}
