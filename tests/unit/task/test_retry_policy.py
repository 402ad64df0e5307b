"""What is done after a session's end, and when the next attempt comes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import anyio
import pytest

from connector.auth import Grant, Keeper, Token
from connector.refusals import LONGEST_ASKED, TOKEN_TOO_OLD, Action, Refusals, Rule, Symptom
from connector.subscription.errors import (
    ConnectFailed,
    HandshakeRefused,
    ServerRefused,
    SessionError,
    SocketClosed,
)
from connector.task.retry_policy import FRESH_FOR, RetryDecision, RetryPolicy
from connector.task.token_keeper import TokenKeeper
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
    """A retry policy, and the alarms that it raised and cleared; the jitter is the most (or ``rng``)."""

    def __init__(
        self,
        *,
        rng: float = 0.999,
        refusals: Refusals | None = None,
        name: str = "bsc",
        keeper: TokenKeeper | None = None,
    ) -> None:
        self.alarms: list[str | None] = []
        self.policy = RetryPolicy(
            name,
            refusals=refusals or Refusals(),
            keeper=keeper,
            alarm=self.alarms.append,
            rng=lambda: rng,
        )

    def after(self, error: SessionError, held: Token | None = None) -> RetryDecision:
        return self.policy.after(error, held)


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
    desk.policy.succeeded()
    assert desk.after(error).delay == first


@pytest.mark.parametrize("status", [401, 402, 404, 429, 503])
@pytest.mark.parametrize("with_keeper", [True, False])
async def test_nobody_is_asked_again_before_the_time_it_asked_for(status: int, with_keeper: bool) -> None:
    keeper, held = (FakeKeeper(token()), token()) if with_keeper else (None, None)
    desk = Desk(rng=0.0, keeper=keeper)
    for _ in range(3):
        decision = desk.after(ended("handshake", status=status, retry_after=77), held)
        assert decision.delay >= 77
        assert decision.least == 77 or not decision.ends_early


def test_an_endless_time_that_is_asked_for_is_cut() -> None:
    decision = Desk().after(ended("handshake", status=429, retry_after=10**9))
    assert decision.delay == LONGEST_ASKED


# Tokens


@asynccontextmanager
async def refused(error: SessionError, times: int) -> AsyncIterator[tuple[Source, list[RetryDecision]]]:
    """Refuse one token after the other."""
    source = Source()
    keeper = Keeper(source, sleep=lambda seconds: anyio.sleep(0 if seconds < 3000 else 3600))
    desk, found = Desk(keeper=keeper), list[RetryDecision]()
    async with anyio.create_task_group() as group:
        group.start_soon(keeper.run)
        held = await keeper.token(by="bsc")
        for _ in range(times):
            found.append(desk.policy.after(error, held))
            with anyio.move_on_after(1):
                held = await keeper.newer_than(held.generation, by="bsc")
        yield source, found
        group.cancel_scope.cancel()


async def test_a_refused_token_is_replaced_at_once_the_first_time() -> None:
    async with refused(UNAUTHORIZED, 1) as (source, decisions):
        assert source.asked == 2
        assert decisions[0].delay < 0.1


async def test_a_second_refusal_in_a_row_waits() -> None:
    async with refused(UNAUTHORIZED, 2) as (_, decisions):
        assert decisions[1].delay >= 5


async def test_points_used_up_cost_one_fresh_token_and_then_a_pause_of_minutes() -> None:
    async with refused(NO_POINTS, 4) as (source, decisions):
        assert source.asked == 2
        assert decisions[0].delay < 0.1
        assert [decision.delay >= 300 for decision in decisions] == [False, True, True, True]
        assert decisions[2].delay > decisions[1].delay


def test_points_used_up_say_nothing_of_a_fresh_token() -> None:
    desk = Desk(keeper=(keeper := FakeKeeper()))
    for generation in (1, 2, 3):
        desk.after(NO_POINTS, token(generation))
    assert keeper.rejected == [1]
    desk = Desk(keeper=(keeper := FakeKeeper()))
    for generation in (1, 2, 3):
        desk.after(UNAUTHORIZED, token(generation))
    assert keeper.rejected == [1, 2, 3]


def test_a_token_is_not_rejected_for_other_reasons() -> None:
    desk = Desk(keeper=(keeper := FakeKeeper()))
    for error in (LOST, BUSY, WRONG, ended("silence"), ended("close"), ended("new"), ended("subscribe")):
        desk.after(error, token())
    assert keeper.rejected == []


def test_without_a_token_there_is_no_fresh_one_to_try() -> None:
    desk = Desk()
    assert desk.after(UNAUTHORIZED).delay >= 5
    assert desk.alarms == ["unauthorized"]
    assert Desk().after(NO_POINTS).delay >= 300


# Tokens that are refused without a word

WORDLESS = [
    SocketClosed(4500, "Internal server error"),
    SocketClosed(None, ""),
    SocketClosed(1000, ""),
    HandshakeRefused(502, "Bad Gateway", None),
    HandshakeRefused(404, "", None),
    ConnectFailed("the connection ended during the upgrade", is_answer=True),
    ended("ack"),
    ServerRefused("init", ("try later",), ()),
    ServerRefused("subscribe", ("internal",), ()),
]
OF_SOMETHING_ELSE = [ConnectFailed("refused"), UNAUTHORIZED, NO_POINTS, BUSY, SocketClosed(1013, "")]


@pytest.mark.parametrize("error", [*WORDLESS, *OF_SOMETHING_ELSE], ids=str)
def test_an_end_without_a_word_of_the_token_may_be_of_the_token(error: SessionError) -> None:
    desk = Desk(keeper=(keeper := FakeKeeper()))
    desk.after(error, token(7))
    # A refusal at init is a guess already: the token is replaced at once.
    is_guess = isinstance(error, ServerRefused) and error.symptom.place == "init"
    assert keeper.doubted == ([7] if error in WORDLESS and not is_guess else [])


async def test_a_fresh_token_ends_the_wait_of_whoever_had_it_fetched() -> None:
    desk = Desk(keeper=(keeper := FakeKeeper(token(1))))
    keeper.replaces_doubted = True
    found = desk.after(SocketClosed(4500, ""), token(1))
    async with anyio.create_task_group() as group:
        group.start_soon(desk.policy.rest, replace(found, delay=1e6))
        await anyio.wait_all_tasks_blocked()
        keeper.put(token(2))
    asked = desk.after(HandshakeRefused(503, "", 77.0), token(1))
    assert asked.least == 77


def test_where_a_fresh_token_does_not_help_somebody_is_told() -> None:
    desk = Desk(keeper=(keeper := FakeKeeper()))
    desk.after(SocketClosed(4500, ""), token(1))
    assert desk.alarms == []
    keeper.fresh_tokens_do_not_help = True
    desk.after(SocketClosed(4500, ""), token(2))
    desk.after(SocketClosed(4500, ""), token(2))
    assert desk.alarms == ["closed"]
    desk.policy.succeeded()
    assert desk.alarms == ["closed", None]


# What ends a wait, and what comes before an attempt


def decision(action: Action, **facts: Any) -> RetryDecision:
    verdict = Refusals(overrides=[Rule(action=action, reason="x")]).classify(Symptom(place="close"))
    return RetryDecision(verdict=verdict, **{"token": token(1), **facts})


async def test_a_later_token_ends_the_wait_after_a_refused_one() -> None:
    keeper = FakeKeeper(token(1))
    desk = Desk(keeper=keeper)
    async with anyio.create_task_group() as group:
        waiting = decision(Action.NEW_TOKEN, delay=600.0, ends_early=True, renew_older_than=TOKEN_TOO_OLD)
        group.start_soon(desk.policy.rest, waiting)
        await anyio.wait_all_tasks_blocked()
        keeper.put(token(2))


async def test_only_a_token_that_its_owner_changed_ends_a_pause() -> None:
    keeper, rested = FakeKeeper(token(2)), anyio.Event()
    desk = Desk(keeper=keeper)

    async def rest() -> None:
        await desk.policy.rest(waiting)
        rested.set()

    async with anyio.create_task_group() as group:
        waiting = decision(Action.PAUSE, delay=600.0, ends_early=True)
        group.start_soon(rest)
        await anyio.wait_all_tasks_blocked()
        assert not rested.is_set()
        keeper.changed_by_itself.set()


async def test_nothing_ends_the_time_that_was_asked_for() -> None:
    desk = Desk(keeper=FakeKeeper(token(2)))
    waiting = decision(Action.NEW_TOKEN, delay=600.0, least=500.0, ends_early=True)
    with anyio.move_on_after(0.1) as early:
        await desk.policy.rest(waiting)
    assert early.cancelled_caught


@pytest.mark.parametrize(("error", "older_than"), [(UNAUTHORIZED, TOKEN_TOO_OLD), (NO_POINTS, FRESH_FOR)])
async def test_before_another_attempt_an_old_token_is_replaced(
    error: SessionError, older_than: float
) -> None:
    keeper = FakeKeeper(token(1))
    desk = Desk(keeper=keeper)
    desk.after(error, token(1))
    found = desk.after(error, token(1))
    assert found.ends_early
    short = replace(found, delay=0.0, least=0.0)
    await desk.policy.rest(short)
    assert keeper.renewed == [(1, older_than)]
