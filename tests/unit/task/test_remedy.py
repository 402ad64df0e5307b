"""What is done after a session's end, and when the next attempt comes."""

import anyio
import pytest

from connector.auth import Grant, Keeper, Token
from connector.subscription.errors import (
    ConnectFailed,
    HandshakeRefused,
    ServerRefused,
    SessionError,
    SocketClosed,
)
from connector.task.remedy import Remedy


class Source:
    """Gives a new token each time it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def fetch(self) -> Grant:
        self.asked += 1
        return Grant(access_token=f"token-{self.asked}", expires_in=3600.0)

    async def changed(self) -> None:
        await anyio.sleep_forever()


def remedy() -> Remedy:
    return Remedy("bsc", rng=lambda: 0.999)


def waits(error: SessionError, times: int) -> list[float]:
    it = remedy()
    return [it.after(error, None, None)[1] for _ in range(times)]


@pytest.mark.parametrize(
    ("error", "first", "last"),
    [
        (SocketClosed(1012, ""), 0.2, 30.0),
        (ConnectFailed("refused"), 0.2, 30.0),
        (SocketClosed(1013, "client is not consuming messages fast enough"), 5.0, 60.0),
        (ServerRefused("subscribe", ("Cannot query field",), ()), 30.0, 600.0),
    ],
)
def test_waits_double_up_to_their_bound(error: SessionError, first: float, last: float) -> None:
    found = waits(error, 12)
    assert found[0] == pytest.approx(first, rel=0.01)
    assert found[1] == pytest.approx(2 * first, rel=0.01)
    assert found[-1] == pytest.approx(last, rel=0.01)


def test_data_makes_earlier_failures_forgotten() -> None:
    it = remedy()
    error = SocketClosed(1012, "")
    first = it.after(error, None, None)[1]
    it.after(error, None, None)
    it.succeeded()
    assert it.after(error, None, None)[1] == first


def test_no_attempt_comes_before_what_was_asked_for() -> None:
    error = HandshakeRefused(429, "Too Many Sessions", 77.0)
    assert waits(error, 1)[0] >= 77.0


async def _rejected(error: SessionError, times: int) -> tuple[Source, list[float]]:
    """Refuse one token after the other; return the source and the waits."""
    source = Source()
    keeper = Keeper(source, sleep=lambda seconds: anyio.sleep(0 if seconds < 3000 else 3600))
    it = remedy()
    found = []
    async with anyio.create_task_group() as group:
        group.start_soon(keeper.run)
        token: Token = await keeper.token()
        for _ in range(times):
            found.append(it.after(error, token, keeper)[1])
            with anyio.move_on_after(1):
                token = await keeper.newer_than(token.generation)
        group.cancel_scope.cancel()
    return source, found


async def test_a_refused_token_is_replaced_at_once_the_first_time() -> None:
    source, found = await _rejected(HandshakeRefused(401, "Unauthorized", None), 1)
    assert source.asked == 2
    assert found[0] < 0.1


async def test_a_second_refusal_in_a_row_waits() -> None:
    _, found = await _rejected(HandshakeRefused(401, "Unauthorized", None), 2)
    assert found[1] >= 2.5


async def test_points_used_up_cost_one_fresh_token_and_then_a_pause_of_minutes() -> None:
    source, found = await _rejected(HandshakeRefused(402, "No active billing period", None), 4)
    assert source.asked == 2
    assert found[0] < 0.1
    assert found[1] >= 150
    assert found[2] > found[1]
