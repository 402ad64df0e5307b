"""
One subscription from end to end: a real server on the loopback, the real publisher, brokers in memory.

Rows are numbered; what the brokers hold is compared with what the server sent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import msgspec
import pytest
from structlog.testing import capture_logs
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from connector.auth import Keeper
from connector.kafka import KafkaSettings
from connector.publish import DeadLetters, Publisher, PublishSettings, Sender
from connector.records.extract import Extractor
from connector.records.topics import TopicTemplate
from connector.subscription import GraphQLRequest, MemoryBudget, SessionSettings, Target
from connector.subscription.credentials import Placement
from connector.task import Follower, FollowSettings, Patience, State, Tolerance
from tests.unit.publish.fakes import FakeBrokers, Record
from tests.unit.subscription.driving import REQUEST
from tests.unit.subscription.servers import (
    RawPeer,
    Stand,
    greet,
    raw_server,
    tell,
    told,
    until,
    websocket_server,
)
from tests.unit.task.fakes import FakeKeeper, Told, token

BY_URL = Placement(place="url", name="token")
SENDER = Sender(connector="c", task=0)

ROW = 2000
"""Bytes of a row beside its number."""


class Upstream:
    """
    Sends numbered rows, going on where the last session ended, until there were ``limit``; ``pace`` is the
    seconds between them.
    """

    def __init__(self, pace: float = 0.002, *, size: int = ROW, limit: int | None = None) -> None:
        self.limit = limit
        self.pace = pace
        self.size = size
        self.sent = 0
        self.sessions = 0
        self.tokens: list[str] = []

    async def serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.tokens.append(connection.request.path.partition("token=")[2])
        await greet(connection)
        self.sessions += 1
        try:
            while self.sent != self.limit:
                await connection.send(numbered(self.sent, self.size))
                self.sent += 1
                await asyncio.sleep(self.pace)
            await connection.wait_closed()
        except ConnectionClosed:
            return


def numbered(number: int, size: int = 0) -> str:
    """Return a result with one row that has a number."""
    return f'{{"type":"next","id":"1","payload":{{"data":{{"rows":[{{"n":{number},"x":"{"x" * size}"}}]}}}}}}'


class KafkaSilent:
    """Satisfies the publisher's observer."""

    def kafka_state(self, state: str) -> None:
        pass

    def producer_rebuilt(self) -> None:
        pass

    def batch_refused(self, reason: str) -> None:
        pass


class Bench:
    """A follower that runs, and all around it."""

    def __init__(self, brokers: FakeBrokers, follower: Follower, told: Told, budget: MemoryBudget) -> None:
        self.brokers = brokers
        self.follower = follower
        self.told = told
        self.budget = budget
        self.ended = anyio.Event()

    @property
    def state(self) -> State:
        return self.follower.status.state

    @property
    def numbers(self) -> list[int]:
        """The numbers of the rows that the brokers hold, in the order published."""
        return [msgspec.json.decode(value)["n"] for value in self.brokers.values()]

    async def run(self) -> None:
        await self.follower.run()
        self.ended.set()

    async def until_state(self, state: State) -> None:
        await until(lambda: self.state is state)

    async def stop(self) -> None:
        """Stop, and wait for the end."""
        self.follower.stop()
        with anyio.fail_after(10):
            await self.ended.wait()
        assert self.told.states[-1] is State.STOPPED


@asynccontextmanager
async def following(
    url: str,
    *,
    brokers: FakeBrokers | None = None,
    keeper: FakeKeeper | Keeper | None = None,
    budget: MemoryBudget | None = None,
    topic: str = "t",
    request: GraphQLRequest = REQUEST,
    rows: tuple[str, ...] = ("rows",),
    placement: Placement = BY_URL,
    patience: Patience | None = None,
    no_data_alarm: float | None = None,
    tolerance: Tolerance | None = None,
    dead_letter_topic: str | None = None,
    reopen_pause: float = 0.0,
    **session: Any,
) -> AsyncIterator[Bench]:
    """Follow ``url``; whatever is left is cancelled."""
    if brokers is None:
        brokers = FakeBrokers()
        brokers.create("t")
    told, budget = Told(), budget or MemoryBudget(10**9)
    kafka = KafkaSettings(bootstrap_servers="x:1", client_id="c")
    publisher = Publisher(kafka, PublishSettings(), KafkaSilent(), brokers=brokers)
    template = TopicTemplate(topic, {}, forbidden=frozenset({dead_letter_topic or ""}))
    letters = DeadLetters(publisher, dead_letter_topic, SENDER) if dead_letter_topic else None
    settings = FollowSettings(
        name="s",
        request=request,
        extractor=Extractor(rows=rows, key=(("n",),), timestamp=None, headers=(), topic=template),
        topics=tuple(name for name in (template.static, dead_letter_topic) if name),
        headers=(("connector", b"c"),),
        streams=1,
        target=Target(url=url, placements=(placement,)),
        session=SessionSettings(**{"close_timeout": 10.0, **session}),
        patience=patience or Patience(keepalive_timeout=60.0, probe=False),
        reopens=True,
        rows_limit=None,
        no_data_alarm=no_data_alarm,
        tolerance=tolerance or Tolerance(),
        reopen_pause=reopen_pause,
    )
    follower = Follower(
        settings,
        keeper=keeper.as_keeper if isinstance(keeper, FakeKeeper) else keeper,
        publisher=publisher,
        budget=budget,
        observer=told,
        dead_letters=letters,
        hide=lambda frame: frame.replace(b"s3cret", b"***"),
    )
    bench = Bench(brokers, follower, told, budget)
    async with anyio.create_task_group() as group:
        group.start_soon(publisher.run)
        group.start_soon(bench.run)
        yield bench
        group.cancel_scope.cancel()


def served(handler: Callable[[ServerConnection], Awaitable[None]]) -> Any:
    """Serve ``handler``."""
    return websocket_server(handler, close_timeout=10)


# The walk of a row


async def test_every_row_that_was_sent_is_published_once_and_in_order() -> None:
    upstream = Upstream()
    async with served(upstream.serve) as stand, following(stand.url) as bench:
        await until(lambda: len(bench.numbers) > 100)
        await bench.stop()
        await stand.until_unused()
    assert bench.numbers == list(range(len(bench.numbers)))
    assert len(bench.numbers) - upstream.sent in (0, 1)
    assert bench.told.rows_received == bench.told.rows_acknowledged == len(bench.numbers)
    assert (bench.follower.undelivered, bench.budget.used) == (0, 0)


async def test_a_record_carries_its_key_and_its_headers() -> None:
    upstream = Upstream()
    async with served(upstream.serve) as stand, following(stand.url) as bench:
        await until(lambda: bench.numbers)
        await bench.stop()
    record = bench.brokers.records()[0]
    assert record.key == b"0"
    assert [name for name, _ in record.headers] == ["connector", "received_at"]


async def test_no_socket_is_opened_before_the_topic_was_found() -> None:
    upstream = Upstream()
    brokers = FakeBrokers()
    async with served(upstream.serve) as stand, following(stand.url, brokers=brokers) as bench:
        await bench.until_state(State.WAITING)
        await until(lambda: bench.follower.status.last_error)
        assert (upstream.tokens, len(stand.server.connections)) == ([], 0)
        brokers.create("t")
        with anyio.fail_after(30):
            while not bench.numbers:  # noqa: ASYNC110 - the publisher looks again after a while
                await anyio.sleep(0.01)
        assert bench.follower.status.last_error is None
        await bench.stop()


async def test_rows_find_the_topics_of_their_fields() -> None:
    upstream = Upstream()
    brokers = FakeBrokers()
    for number in range(10):
        brokers.create(f"t.{number}")

    async def ten(connection: ServerConnection) -> None:
        await greet(connection)
        for number in range(10):
            await connection.send(numbered(number))
        await connection.wait_closed()

    async with served(ten) as stand, following(stand.url, brokers=brokers, topic="t.{n}") as bench:
        await until(lambda: bench.told.rows_acknowledged == 10)
        await bench.stop()
    assert all(len(brokers.values(f"t.{number}")) == 1 for number in range(10))
    assert upstream.sessions == 0


# Between sessions


@pytest.mark.parametrize("ending", ["lost", "reopen"])
async def test_two_sessions_are_as_far_apart_as_is_wanted(ending: str) -> None:
    upstream = Upstream()
    keeper = FakeKeeper(token(1, expires_in=1.0 if ending == "reopen" else None))
    moments: list[float] = []

    async def handler(connection: ServerConnection) -> None:
        moments.append(time.monotonic())
        try:
            await upstream.serve(connection)
        finally:
            moments.append(time.monotonic())

    async with (
        served(handler) as stand,
        following(stand.url, keeper=keeper, reopen_pause=1.5) as bench,
    ):
        await until(lambda: bench.numbers)
        if ending == "lost":
            (connection,) = stand.server.connections
            await connection.close(1012)
        keeper.put(token(2))
        await until(lambda: upstream.sessions == 2)
        await bench.stop()
    assert moments[2] - moments[1] > 1.2
    assert bench.numbers == list(range(len(bench.numbers)))


async def test_a_refused_upgrade_is_followed_by_no_pause() -> None:
    refused = 0

    async def handler(peer: RawPeer) -> None:
        nonlocal refused
        await peer.request()
        peer.writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await peer.writer.drain()
        refused += 1

    async with raw_server(handler) as url, following(url, reopen_pause=600.0) as bench:
        await until(lambda: refused >= 3)
        await bench.stop()


async def test_stopping_ends_the_pause_between_two_sessions() -> None:
    upstream = Upstream()
    async with served(upstream.serve) as stand, following(stand.url, reopen_pause=600.0) as bench:
        await until(lambda: bench.numbers)
        (connection,) = stand.server.connections
        await connection.close(1012)
        await until(lambda: bench.told.reconnects)
        await bench.stop()
    assert upstream.sessions == 1


async def test_who_has_stopped_vouches_for_no_token() -> None:
    upstream, keeper = Upstream(), FakeKeeper(token(1))
    async with served(upstream.serve) as stand, following(stand.url, keeper=keeper) as bench:
        await until(lambda: bench.numbers)
        await bench.stop()
    assert keeper.forgotten == ["s"]


async def test_after_a_lost_connection_it_goes_on() -> None:
    upstream = Upstream()
    async with served(upstream.serve) as stand, following(stand.url) as bench:
        for session in (1, 2, 3):
            await until(lambda: bench.told.sessions == session and upstream.sent > session * 20)  # noqa: B023
            for connection in list(stand.server.connections):
                connection.transport.abort()
        await until(lambda: upstream.sessions == 4 and len(bench.told.gaps) == 3)
        await bench.stop()
    assert bench.told.reconnects == ["connection_lost"] * 3
    assert bench.told.gaps == ["unfilled"] * 3
    assert bench.numbers == sorted(bench.numbers)


async def test_a_refused_token_is_rejected_and_a_fresh_one_used() -> None:
    keeper = FakeKeeper(token(1))
    upstream = Upstream()

    async def handler(connection: ServerConnection) -> None:
        assert connection.request is not None
        if connection.request.path.endswith("=t1"):
            await told(connection)
            await tell(connection, "connection_error", "Unauthorized")
            await connection.wait_closed()
        else:
            await upstream.serve(connection)

    async with served(handler) as stand, following(stand.url, keeper=keeper) as bench:
        await until(lambda: keeper.rejected == [1])
        keeper.put(token(2))
        await until(lambda: bench.numbers)
        assert set(keeper.accepted) == {2}
        assert bench.told.refusals == []
        await until(lambda: bench.follower.status.last_error is None)
        await bench.stop()
    assert upstream.tokens == ["t2"]
    assert bench.told.reconnects == ["unauthorized"]


async def test_sessions_that_each_bring_a_row_and_end_are_opened_ever_more_slowly() -> None:
    opened: list[float] = []

    async def handler(connection: ServerConnection) -> None:
        opened.append(anyio.current_time())
        await greet(connection)
        await connection.send(numbered(len(opened)))
        await connection.close()

    async with served(handler) as stand, following(stand.url) as bench:
        await anyio.sleep(8)  # what must not happen meanwhile cannot be waited for
        await bench.stop()
    # Without growing waits there would be one every few milliseconds.
    assert 2 <= len(opened) <= 25
    assert len(bench.numbers) == len(opened)


async def test_no_session_is_opened_before_the_brokers_answered_whatever_the_topics_name_is() -> None:
    brokers = FakeBrokers()
    brokers.freeze()
    upstream = Upstream()
    async with served(upstream.serve) as stand, following(stand.url, brokers=brokers, topic="t{n}") as bench:
        await bench.until_state(State.WAITING)
        await until(lambda: bench.follower.status.last_error)
        assert upstream.sessions == 0
        await bench.stop()
    assert upstream.sessions == 0


async def test_the_alarm_ends_with_a_session_that_lasts() -> None:
    upstream, keeper = Upstream(), FakeKeeper(token(1))
    refused = 0

    async def handler(connection: ServerConnection) -> None:
        nonlocal refused
        if refused < 2:
            refused += 1
            keeper.put(token(1 + refused))
            await connection.close(4403, "Forbidden")
        else:
            await upstream.serve(connection)

    async with served(handler) as stand, following(stand.url, keeper=keeper) as bench:
        await until(lambda: bench.told.refusals == ["unauthorized"])
        await until(lambda: bench.told.refusals == ["unauthorized", None])
        assert bench.state is State.LIVE
        await bench.stop()


async def test_errors_for_the_only_result_and_then_complete_are_a_refusal() -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await tell(connection, "next", {"errors": [{"message": 'Variable "$n" got invalid value'}]}, id="1")
        await tell(connection, "complete", id="1")
        await connection.wait_closed()

    async with served(handler) as stand, following(stand.url) as bench:
        await until(lambda: bench.told.reconnects)
        await bench.stop()
    assert bench.told.reconnects == ["document_refused"]
    assert 'Variable "$n"' in str(bench.follower.status.last_error)
    assert State.LIVE not in bench.told.states


async def test_completing_after_rows_is_no_refusal_whatever_errors_came() -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await connection.send(numbered(1))
        await tell(connection, "next", {"errors": [{"message": "a blip"}]}, id="1")
        await tell(connection, "complete", id="1")
        await connection.wait_closed()

    async with served(handler) as stand, following(stand.url) as bench:
        await until(lambda: bench.told.reconnects)
        await bench.stop()
    assert bench.told.reconnects[0] == "completed"


async def test_it_is_reopened_with_the_next_token_before_this_one_ends() -> None:
    keeper = FakeKeeper(token(1, expires_in=1.0))
    upstream = Upstream()
    async with served(upstream.serve) as stand, following(stand.url, keeper=keeper) as bench:
        await until(lambda: len(bench.numbers) > 10)
        keeper.put(token(2))
        await until(lambda: upstream.sessions == 2)
        await bench.stop()
    assert upstream.tokens == ["t1", "t2"]
    assert bench.told.reconnects == ["reopen"]
    assert State.REOPENING in bench.told.states
    assert bench.numbers == list(range(len(bench.numbers)))


async def test_another_subprotocol_is_offered_first_when_the_server_does_not_speak_what_it_selected() -> None:
    chosen: list[str | None] = []

    async def handler(connection: ServerConnection) -> None:
        chosen.append(connection.subprotocol)
        if len(chosen) == 1:
            await connection.close(1002, "no such protocol")
            return
        await greet(connection)
        await connection.wait_closed()

    # It selects whatever comes first.
    async with (
        websocket_server(handler, select_subprotocol=lambda connection, offered: offered[0]) as stand,
        following(stand.url) as bench,
    ):
        await bench.until_state(State.LIVE)
        await bench.stop()
    assert len(set(chosen)) == 2


# Overload


async def test_when_kafka_stalls_it_sheds_recovers_and_is_live_again() -> None:
    upstream = Upstream(pace=0.0005)
    budget = MemoryBudget(400_000)
    async with served(upstream.serve) as stand, following(stand.url, budget=budget) as bench:
        await until(lambda: len(bench.numbers) > 10)
        bench.brokers.freeze()
        await until(lambda: bench.told.sheds)
        await stand.until_unused()  # a socket that is not read would be billed
        assert bench.state is State.SHEDDING
        held = bench.follower.undelivered
        assert held > 0
        assert upstream.sessions == 1
        upstream.pace = 0.005
        bench.brokers.thaw()
        with anyio.fail_after(20):  # the cooldown is in real seconds
            while upstream.sessions < 2 or bench.told.states[-1] is not State.LIVE:  # noqa: ASYNC110
                await anyio.sleep(0.01)
        before = len(bench.numbers)
        await until(lambda: len(bench.numbers) > before)
        await bench.stop()
    # Up to the shed, whatever the server had sent is published: nothing that was received is lost.
    assert bench.numbers == list(range(len(bench.numbers)))
    assert bench.told.reconnects == ["shed"]
    assert bench.told.gaps == ["unfilled"]
    assert bench.told.sheds == 1
    assert (bench.follower.undelivered, budget.used) == (0, 0)


async def test_told_to_shed_while_it_waits_for_a_token_it_opens_no_session() -> None:
    keeper = FakeKeeper(token(1))
    upstream = Upstream()
    budget = MemoryBudget(400_000)
    async with served(upstream.serve) as stand, following(stand.url, keeper=keeper, budget=budget) as bench:
        await until(lambda: len(bench.numbers) > 10)
        bench.brokers.freeze()
        await until(lambda: bench.follower.undelivered > 10)
        keeper.rejected.append(1)
        for connection in list(stand.server.connections):
            connection.transport.abort()
        await bench.until_state(State.TOKEN)
        # Others hold the rest, each less than this one, which is therefore told.
        others = budget.limit - budget.used
        budget.used += others
        budget.shed_largest()
        assert bench.told.sheds == 1
        keeper.put(token(2))
        await bench.until_state(State.SHEDDING)
        assert upstream.sessions == 1
        budget.shrink(others)
        bench.brokers.thaw()
        with anyio.fail_after(20):
            while upstream.sessions < 2:  # noqa: ASYNC110
                await anyio.sleep(0.01)
        await bench.stop()


# A poisoned record


def poisoned(numbers: set[int]) -> Callable[[Record], str | None]:
    def refuses(record: Record) -> str | None:
        return "invalid" if msgspec.json.decode(record.value)["n"] in numbers else None

    return refuses


async def test_a_poisoned_record_fails_the_subscription_and_rows_around_it_are_published() -> None:
    upstream = Upstream()
    brokers = FakeBrokers()
    brokers.create("t", refuses=poisoned({50}))
    async with served(upstream.serve) as stand, following(stand.url, brokers=brokers) as bench:
        with capture_logs() as lines:
            await bench.until_state(State.FAILED)
        await stand.until_unused()
        assert not bench.ended.is_set()
        assert "refused for invalid" in str(bench.follower.status.last_error)
        assert bench.told.failed == ["invalid"]
        assert [line["log_level"] for line in lines if "cannot be published" in line["event"]] == ["error"]
        assert (bench.follower.undelivered, bench.budget.used) == (0, 0)
        received = bench.told.rows_received
        await bench.stop()
    assert sorted(bench.numbers) == [number for number in range(received) if number != 50]
    assert received > 50


async def test_after_it_failed_its_neighbours_are_still_told_to_shed() -> None:
    upstream = Upstream(pace=0.0005)
    brokers = FakeBrokers()
    brokers.create("t", refuses=poisoned({20}))
    budget = MemoryBudget(400_000)
    async with served(upstream.serve) as stand, following(stand.url, brokers=brokers, budget=budget) as bench:
        await until(lambda: len(bench.numbers) > 10)
        brokers.freeze()
        await until(lambda: bench.told.sheds)
        brokers.thaw()
        await bench.until_state(State.FAILED)
        told_too: list[int] = []
        neighbour = budget.open(lambda: told_too.append(1))
        for _ in range(2):
            neighbour.take(175_000)
        assert told_too == [1]
        await bench.stop()


# Bad records that are tolerated

DLQ = "dlq"
TOLERANT = Tolerance(bad=True, failures=50, rows=100)


def brokers_of(bad: set[int]) -> FakeBrokers:
    """Brokers that refuse these numbers in ``t``, and have a dead-letter topic."""
    brokers = FakeBrokers()
    brokers.create("t", refuses=poisoned(bad))
    brokers.create(DLQ)
    return brokers


def letters_in(brokers: FakeBrokers) -> list[int]:
    return [msgspec.json.decode(value)["n"] for value in brokers.values(DLQ)]


async def test_a_poisoned_record_goes_to_the_dead_letter_topic_and_the_subscription_stays_live() -> None:
    upstream, brokers = Upstream(), brokers_of({50})
    async with (
        served(upstream.serve) as stand,
        following(stand.url, brokers=brokers, tolerance=TOLERANT, dead_letter_topic=DLQ) as bench,
    ):
        await until(lambda: len(bench.numbers) > 100)
        assert bench.state is State.LIVE
        assert "refused for invalid" in str(bench.follower.status.last_error)
        await bench.stop()
    received = bench.told.rows_received
    assert sorted(bench.numbers) == [number for number in range(received) if number != 50]
    assert letters_in(brokers) == [50]
    assert (bench.told.failed, bench.told.letters, bench.told.skipped) == (["invalid"], ["invalid"], [])
    assert bench.told.rows_acknowledged == received - 1
    assert (bench.follower.undelivered, bench.budget.used, bench.told.sessions) == (0, 0, 1)
    letter = dict(brokers.records(DLQ)[0].headers)
    assert letter["connector"] == b"c"
    assert "received_at" in letter


async def test_without_a_dead_letter_topic_a_poisoned_record_is_skipped() -> None:
    upstream, brokers = Upstream(), brokers_of({50})
    async with (
        served(upstream.serve) as stand,
        following(stand.url, brokers=brokers, tolerance=TOLERANT) as bench,
    ):
        await until(lambda: len(bench.numbers) > 100)
        await bench.stop()
    assert sorted(bench.numbers) == [number for number in range(bench.told.rows_received) if number != 50]
    assert (bench.told.skipped, bench.told.letters) == (["invalid"], [])


@pytest.mark.parametrize("dead_letter_topic", [DLQ, None])
async def test_when_all_are_bad_it_fails_with_what_came_before_accounted_for(
    dead_letter_topic: str | None,
) -> None:
    upstream, brokers = Upstream(limit=90), brokers_of(set(range(30, 90)))
    async with (
        served(upstream.serve) as stand,
        following(
            stand.url, brokers=brokers, tolerance=TOLERANT, dead_letter_topic=dead_letter_topic
        ) as bench,
    ):
        await bench.until_state(State.FAILED)
        await stand.until_unused()
        assert "50 of the last 100 rows" in str(bench.follower.status.last_error)
        assert (bench.follower.undelivered, bench.budget.used) == (0, 0)
        received = bench.told.rows_received
        await bench.stop()
    assert received >= 80
    assert bench.numbers == list(range(30))
    assert len(bench.told.failed) == received - 30
    if dead_letter_topic:
        assert letters_in(brokers) == list(range(30, received))


async def test_no_socket_is_opened_before_the_dead_letter_topic_was_found() -> None:
    upstream, brokers = Upstream(), FakeBrokers()
    brokers.create("t")
    async with (
        served(upstream.serve) as stand,
        following(stand.url, brokers=brokers, tolerance=TOLERANT, dead_letter_topic=DLQ) as bench,
    ):
        await until(lambda: "topic dlq" in str(bench.follower.status.last_error))
        assert (bench.state, upstream.tokens) == (State.WAITING, [])
        brokers.create(DLQ)
        with anyio.fail_after(30):
            while not bench.numbers:  # noqa: ASYNC110 - the publisher looks again after a while
                await anyio.sleep(0.01)
        await bench.stop()


async def test_a_row_whose_fields_name_the_dead_letter_topic_is_bad() -> None:
    brokers = brokers_of(set())
    brokers.create("t.0")

    async def two(connection: ServerConnection) -> None:
        await greet(connection)
        for number in ('"t.0"', '"dlq"', '"__consumer_offsets"', '"a/b"'):
            result = f'{{"data":{{"rows":[{{"n":{number}}}]}}}}'
            await connection.send(f'{{"type":"next","id":"1","payload":{result}}}')
        await connection.wait_closed()

    async with (
        served(two) as stand,
        following(
            stand.url, brokers=brokers, topic="{n}", tolerance=TOLERANT, dead_letter_topic=DLQ
        ) as bench,
    ):
        await until(lambda: len(bench.told.letters) == 3)
        await bench.stop()
    assert brokers.values("t.0") == [b'{"n":"t.0"}']
    values = [b'{"n":"dlq"}', b'{"n":"__consumer_offsets"}', b'{"n":"a/b"}']
    assert brokers.values(DLQ) == values
    assert [record.key for record in brokers.records(DLQ)] == [b"dlq", b"__consumer_offsets", b"a/b"]
    stages = [dict(record.headers)["__connect.errors.stage"] for record in brokers.records(DLQ)]
    assert stages == [b"TRANSFORMATION"] * 3


async def test_while_dead_letters_cannot_be_written_rows_are_held_and_the_session_is_shed() -> None:
    upstream, brokers = Upstream(pace=0.0005), brokers_of({20})
    brokers.latency[DLQ, 0] = 1e9
    budget = MemoryBudget(400_000)
    async with (
        served(upstream.serve) as stand,
        following(
            stand.url, brokers=brokers, budget=budget, tolerance=TOLERANT, dead_letter_topic=DLQ
        ) as bench,
    ):
        await until(lambda: bench.told.sheds)
        assert bench.told.failed == ["invalid"]  # trouble of Kafka makes no row bad
        assert bench.told.rows_acknowledged == 20
        assert bench.state is not State.FAILED
        assert bench.follower.undelivered > 0


BROKEN_RESULT = '{"id":"1","type":"next","payload":{"data":{"rows":[{"n":s3cret'


@pytest.mark.parametrize("tolerant", [True, False])
async def test_a_result_that_cannot_be_read(tolerant: bool) -> None:
    brokers = brokers_of(set())

    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await connection.send(numbered(1))
        await connection.send(BROKEN_RESULT)
        await connection.send(numbered(2))
        await connection.wait_closed()

    async with (
        served(handler) as stand,
        following(
            stand.url,
            brokers=brokers,
            tolerance=TOLERANT if tolerant else Tolerance(),
            dead_letter_topic=DLQ,
        ) as bench,
    ):
        if tolerant:
            await until(lambda: bench.numbers == [1, 2] and bench.told.letters)
            assert bench.told.reconnects == []
        else:
            await until(lambda: bench.told.reconnects)
            assert bench.told.reconnects[0] == "protocol_violation"
        await bench.stop()
    kept = BROKEN_RESULT.replace("s3cret", "***").encode()
    assert brokers.values(DLQ) == ([kept] if tolerant else [])
    assert bench.told.failed == (["frame"] if tolerant else [])
    assert bench.told.letters == bench.told.failed


async def test_a_frame_of_another_protocol_ends_the_session_and_is_kept() -> None:
    brokers = brokers_of(set())
    sessions = 0

    async def handler(connection: ServerConnection) -> None:
        nonlocal sessions
        await greet(connection)
        sessions += 1
        await connection.send(numbered(sessions))
        await connection.send("<html>s3cret</html>")
        await connection.wait_closed()

    only_one = Tolerance(bad=True, failures=1, rows=1)
    async with (
        served(handler) as stand,
        following(stand.url, brokers=brokers, tolerance=only_one, dead_letter_topic=DLQ) as bench,
    ):
        await until(lambda: len(bench.told.letters) >= 2)
        assert bench.state is not State.FAILED  # it is no row
        await bench.stop()
    assert set(brokers.values(DLQ)) == {b"<html>***</html>"}
    assert set(bench.told.letters) == {"protocol"}
    assert bench.told.failed == []
    assert bench.told.reconnects[:2] == ["protocol_violation"] * 2
    assert dict(brokers.records(DLQ)[0].headers)["__connect.errors.stage"] == b"TASK_POLL"


# Stopping in every state


async def test_stopping_while_it_waits_for_the_topic() -> None:
    async with served(Upstream().serve) as stand, following(stand.url, brokers=FakeBrokers()) as bench:
        await bench.until_state(State.WAITING)
        await bench.stop()


async def test_stopping_while_it_waits_for_a_token() -> None:
    async with served(Upstream().serve) as stand, following(stand.url, keeper=FakeKeeper()) as bench:
        await until(lambda: bench.told.states[-1] is State.TOKEN)
        await bench.stop()


async def test_stopping_while_it_connects() -> None:
    async def handler(peer: Any) -> None:
        while await peer.reader.read(1000):
            pass

    async with raw_server(handler) as url, following(url, open_timeout=60) as bench:
        await bench.until_state(State.CONNECTING)
        await bench.stop()


async def test_stopping_while_it_initialises() -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with served(handler) as stand, following(stand.url, ack_timeout=60) as bench:
        await bench.until_state(State.INITIALISING)
        await bench.stop()
        await stand.until_unused()


async def test_stopping_while_it_is_live_without_data() -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await connection.wait_closed()

    async with served(handler) as stand, following(stand.url) as bench:
        await bench.until_state(State.LIVE)
        await bench.stop()
        await stand.until_unused()


async def test_stopping_while_it_waits_to_reconnect() -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.close(1009, "too big")  # half a minute at first

    async with served(handler) as stand, following(stand.url) as bench:
        await until(lambda: bench.told.reconnects)
        assert bench.state is State.WAITING
        await bench.stop()


async def test_stopping_while_kafka_is_stalled_waits_for_it() -> None:
    upstream = Upstream()
    async with served(upstream.serve) as stand, following(stand.url) as bench:
        await until(lambda: len(bench.numbers) > 10)
        bench.brokers.freeze()
        await until(lambda: bench.follower.undelivered > 10)
        bench.follower.stop()
        await stand.until_unused()
        assert not bench.ended.is_set()
        bench.brokers.thaw()
        await bench.stop()
    assert bench.told.rows_received == bench.told.rows_acknowledged == len(bench.numbers)


async def test_stopping_while_it_sheds() -> None:
    upstream = Upstream(pace=0.0005)
    async with served(upstream.serve) as stand, following(stand.url, budget=MemoryBudget(400_000)) as bench:
        await until(lambda: len(bench.numbers) > 10)
        bench.brokers.freeze()
        await until(lambda: bench.told.sheds)
        await stand.until_unused()
        bench.follower.stop()
        bench.brokers.thaw()
        await bench.stop()
    assert bench.told.rows_received == bench.told.rows_acknowledged == len(bench.numbers)


async def test_stopping_before_it_runs_and_twice() -> None:
    upstream = Upstream()
    async with served(upstream.serve) as stand, following(stand.url) as bench:
        bench.follower.stop()
        await bench.stop()
    assert upstream.tokens == []


async def test_cancelling_it_ends_its_socket() -> None:
    stand: Stand
    async with served(Upstream().serve) as stand:
        async with following(stand.url) as bench:
            await until(lambda: bench.numbers)
        await stand.until_unused()


# Alarms


async def test_a_live_session_without_data_raises_an_alarm_and_data_ends_it() -> None:
    flows = anyio.Event()

    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await flows.wait()
        try:
            for number in range(10_000):
                await connection.send(numbered(number))
                await asyncio.sleep(0.01)
        except ConnectionClosed:
            return

    async with served(handler) as stand, following(stand.url, no_data_alarm=0.3) as bench:
        await until(lambda: bench.told.alarms == [True])
        assert bench.state is State.LIVE
        flows.set()
        await until(lambda: bench.told.alarms == [True, False])
        await bench.stop()


@pytest.mark.parametrize("content", [b'{"type":"next","payload":{"errors":[{"message":"\xff"}]}}', b"{}"])
async def test_broken_messages_end_sessions_and_never_the_follower(content: bytes) -> None:
    upstream = Upstream()

    async def handler(connection: ServerConnection) -> None:
        if not upstream.tokens:
            upstream.tokens.append("")
            await greet(connection)
            await connection.send(content, text=True)
            await connection.close(1011, "broken")
        else:
            await upstream.serve(connection)

    async with served(handler) as stand, following(stand.url) as bench:
        await until(lambda: len(bench.numbers) > 5)
        await bench.stop()
