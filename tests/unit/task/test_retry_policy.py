"""What is done after a session's end, and when the next attempt comes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from structlog.testing import capture_logs

from connector.auth import Grant, Keeper, Token
from connector.refusals import LONGEST_ASKED, TOKEN_TOO_OLD, Action, Refusals, Rule, Symptom
from connector.subscription.errors import (
    ConnectFailed,
    HandshakeRefused,
    ServerRefused,
    SessionError,
    SocketClosed,
)
from connector.task.remedy import FRESH_FOR, Course, Remedy
from tests.unit.task.fakes import FakeKeeper, token


class Source:
    """Gives a new token each time it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def fetch(self) -> Grant:
        self.asked += 1
        return Grant(access_token=f"token-{self.asked}", expires_in=3600.0)

    async def changed(self) -> None:
        await anyio.sleep_forever()


class Desk:
    """A remedy, and the alarms that it raised and cleared; the jitter is the most (or ``rng``)."""

    def __init__(self, *, rng: float = 0.999, refusals: Refusals | None = None, name: str = "bsc") -> None:
        self.alarms: list[str | None] = []
        self.remedy = Remedy(name, refusals=refusals or Refusals(), alarm=self.alarms.append, rng=lambda: rng)

    def after(
        self, error: SessionError, held: Token | None = None, keeper: FakeKeeper | None = None
    ) -> Course:
        return self.remedy.after(error, held, keeper.as_keeper if keeper else None)


def ended(
    place: str, *, text: str = "", status: int | None = None, retry_after: float | None = None
) -> SessionError:
    symptom = Symptom(place=place, status=status, texts=(text,) if text else ())
    return SessionError(f"{place} {text}", symptom, retry_after=retry_after)


LOST, BUSY, WRONG = ended("connect"), ended("stream", text="too many sessions"), ended("handshake")
UNAUTHORIZED = HandshakeRefused(401, "Unauthorized", None)
NO_POINTS = HandshakeRefused(402, "No active billing period", None)

# The pace


@pytest.mark.parametrize(
    ("error", "waits"),
    [
        (SocketClosed(1012, ""), [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30]),
        (ConnectFailed("refused"), [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30]),
        (HandshakeRefused(429, "Too Many Sessions", None), [6.25, 12.5, 25, 50, 60, 60]),
        (SocketClosed(1013, "client is not consuming messages fast enough"), [6.25, 12.5, 25, 50, 60]),
        (ServerRefused("subscribe", ("Cannot query field",), ()), [37.5, 75, 150, 300, 600, 600]),
    ],
)
def test_waits_double_up_to_their_bound(error: SessionError, waits: list[float]) -> None:
    desk = Desk()
    assert [desk.after(error).delay for _ in waits] == pytest.approx(waits, rel=0.01)


@pytest.mark.parametrize("error", [HandshakeRefused(429, "", None), SocketClosed(1013, ""), BUSY])
def test_patience_that_is_asked_for_is_never_shorter_than_five_seconds_nor_longer_than_a_minute(
    error: SessionError,
) -> None:
    for rng in (0.0, 0.999):
        desk = Desk(rng=rng)
        waits = [desk.after(error).delay for _ in range(9)]
        assert 5 <= waits[0] <= waits[1]
        assert max(waits) <= 60


def test_data_makes_earlier_failures_forgotten() -> None:
    desk = Desk()
    error = SocketClosed(1012, "")
    first = desk.after(error).delay
    desk.after(error)
    desk.remedy.succeeded()
    assert desk.after(error).delay == first


@pytest.mark.parametrize("status", [401, 402, 404, 429, 503])
@pytest.mark.parametrize("with_keeper", [True, False])
async def test_nobody_is_asked_again_before_the_time_it_asked_for(status: int, with_keeper: bool) -> None:
    keeper, held = (FakeKeeper(token()), token()) if with_keeper else (None, None)
    desk = Desk(rng=0.0)
    for _ in range(3):
        course = desk.after(ended("handshake", status=status, retry_after=77), held, keeper)
        assert course.delay >= 77
        assert course.least == 77 or not course.ends_early


def test_an_endless_time_that_is_asked_for_is_cut() -> None:
    course = Desk().after(ended("handshake", status=429, retry_after=10**9))
    assert course.delay == LONGEST_ASKED


# Tokens


@asynccontextmanager
async def refused(error: SessionError, times: int) -> AsyncIterator[tuple[Source, list[Course]]]:
    """Refuse one token after the other."""
    source = Source()
    keeper = Keeper(source, sleep=lambda seconds: anyio.sleep(0 if seconds < 3000 else 3600))
    desk, found = Desk(), list[Course]()
    async with anyio.create_task_group() as group:
        group.start_soon(keeper.run)
        held = await keeper.token(by="bsc")
        for _ in range(times):
            found.append(desk.remedy.after(error, held, keeper))
            with anyio.move_on_after(1):
                held = await keeper.newer_than(held.generation, by="bsc")
        yield source, found
        group.cancel_scope.cancel()


async def test_a_refused_token_is_replaced_at_once_the_first_time() -> None:
    async with refused(UNAUTHORIZED, 1) as (source, courses):
        assert source.asked == 2
        assert courses[0].delay < 0.1


async def test_a_second_refusal_in_a_row_waits() -> None:
    async with refused(UNAUTHORIZED, 2) as (_, courses):
        assert courses[1].delay >= 5


async def test_points_used_up_cost_one_fresh_token_and_then_a_pause_of_minutes() -> None:
    async with refused(NO_POINTS, 4) as (source, courses):
        assert source.asked == 2
        assert courses[0].delay < 0.1
        assert [course.delay >= 300 for course in courses] == [False, True, True, True]
        assert courses[2].delay > courses[1].delay


def test_points_used_up_say_nothing_of_a_fresh_token() -> None:
    keeper, desk = FakeKeeper(), Desk()
    for generation in (1, 2, 3):
        desk.after(NO_POINTS, token(generation), keeper)
    assert keeper.rejected == [1]
    keeper, desk = FakeKeeper(), Desk()
    for generation in (1, 2, 3):
        desk.after(UNAUTHORIZED, token(generation), keeper)
    assert keeper.rejected == [1, 2, 3]


def test_a_token_is_not_rejected_for_other_reasons() -> None:
    keeper, desk = FakeKeeper(), Desk()
    for error in (LOST, BUSY, WRONG, ended("silence"), ended("close"), ended("new"), ended("subscribe")):
        desk.after(error, token(), keeper)
    assert keeper.rejected == []


def test_without_a_token_there_is_no_fresh_one_to_try() -> None:
    desk = Desk()
    assert desk.after(UNAUTHORIZED).delay >= 5
    assert desk.alarms == ["unauthorized"]
    assert Desk().after(NO_POINTS).delay >= 300


# What ends a wait, and what comes before an attempt


def course(action: Action, **facts: float | bool) -> Course:
    verdict = Refusals(overrides=[Rule(action=action, reason="x")]).classify(Symptom(place="close"))
    return Course(verdict=verdict, **facts)  # type: ignore[arg-type]


async def test_a_later_token_ends_the_wait_after_a_refused_one() -> None:
    keeper, desk = FakeKeeper(token(1)), Desk()
    async with anyio.create_task_group() as group:
        waiting = course(Action.NEW_TOKEN, delay=600.0, ends_early=True, renew_older_than=TOKEN_TOO_OLD)
        group.start_soon(desk.remedy.rest, waiting, token(1), keeper.as_keeper)
        await anyio.wait_all_tasks_blocked()
        keeper.put(token(2))


async def test_only_a_token_that_its_owner_changed_ends_a_pause() -> None:
    keeper, desk, rested = FakeKeeper(token(2)), Desk(), anyio.Event()

    async def rest() -> None:
        await desk.remedy.rest(waiting, token(1), keeper.as_keeper)
        rested.set()

    async with anyio.create_task_group() as group:
        waiting = course(Action.PAUSE, delay=600.0, ends_early=True)
        group.start_soon(rest)
        await anyio.wait_all_tasks_blocked()
        assert not rested.is_set()
        keeper.changed_by_itself.set()


async def test_nothing_ends_the_time_that_was_asked_for() -> None:
    keeper, desk = FakeKeeper(token(2)), Desk()
    waiting = course(Action.NEW_TOKEN, delay=600.0, least=500.0, ends_early=True)
    with anyio.move_on_after(0.1) as early:
        await desk.remedy.rest(waiting, token(1), keeper.as_keeper)
    assert early.cancelled_caught


@pytest.mark.parametrize(("error", "older_than"), [(UNAUTHORIZED, TOKEN_TOO_OLD), (NO_POINTS, FRESH_FOR)])
async def test_before_another_attempt_an_old_token_is_replaced(
    error: SessionError, older_than: float
) -> None:
    keeper, desk = FakeKeeper(token(1)), Desk()
    desk.after(error, token(1), keeper)
    found = desk.after(error, token(1), keeper)
    assert found.ends_early
    short = Course(verdict=found.verdict, delay=0.0, ends_early=True, renew_older_than=found.renew_older_than)
    await desk.remedy.rest(short, token(1), keeper.as_keeper)
    assert keeper.renewed == [(1, older_than)]


# What is told


def test_the_same_end_again_is_no_warning_again() -> None:
    desk = Desk()
    with capture_logs() as lines:
        for error in (LOST, LOST, BUSY, LOST):
            desk.after(error)
        desk.remedy.succeeded()
        desk.after(LOST)
    assert [line["log_level"] for line in lines] == ["warning", "debug", "warning", "debug", "warning"]


def test_a_text_that_differs_each_time_is_no_warning_again() -> None:
    desk = Desk()
    with capture_logs() as lines:
        for number in range(50):
            desk.after(ended("stream", text=f"request {number:x}7-{number} failed"))
    assert sum(line["log_level"] != "debug" for line in lines) == 2  # its end, and that it is not known


def test_what_is_not_known_is_told_whole_and_once_for_all_subscriptions() -> None:
    refusals = Refusals()
    desks = [Desk(refusals=refusals, name=name) for name in ("one", "two")]
    error = SocketClosed(4999, "quota of the moon")
    with capture_logs() as lines:
        for _ in range(5):
            for desk in desks:
                desk.after(error)
    (line,) = [line for line in lines if line["event"] == "refusal is not known"]
    assert (line["place"], line["close_code"], line["texts"]) == ("close", 4999, ["quota of the moon"])
    assert "status" not in line


@pytest.mark.parametrize(
    ("error", "alarms"),
    [
        (UNAUTHORIZED, ["unauthorized"]),
        (NO_POINTS, ["points"]),
        (HandshakeRefused(404, "", None), ["handshake_refused"]),
        (SocketClosed(1012, ""), []),
        (SocketClosed(1013, ""), []),
    ],
)
def test_the_alarm_is_raised_where_somebody_has_to_change_something_and_cleared_by_data(
    error: SessionError, alarms: list[str]
) -> None:
    desk, keeper = Desk(), FakeKeeper(token())
    with capture_logs() as lines:
        for _ in range(4):
            desk.after(error, token(), keeper)
    assert desk.alarms == alarms
    loud = [line for line in lines if line["log_level"] == "error"]
    assert [line["reason"] for line in loud] == alarms
    assert all(line["remedy"] for line in loud)
    desk.remedy.succeeded()
    desk.remedy.succeeded()
    assert desk.alarms == [*alarms, None] if alarms else desk.alarms == []


def test_one_refused_token_is_no_alarm() -> None:
    desk, keeper = Desk(), FakeKeeper(token())
    desk.after(UNAUTHORIZED, token(), keeper)
    assert desk.alarms == []


def test_a_subprotocol_that_is_refused_is_no_alarm_before_the_other_was_tried() -> None:
    desk, error = Desk(), SocketClosed(4406, "")
    desk.after(error)
    assert desk.alarms == []
    desk.after(error)
    assert desk.alarms == ["subprotocol_refused"]
