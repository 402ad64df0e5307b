"""What is done after a session's end, and when the next attempt comes."""

import anyio
import pytest
from structlog.testing import capture_logs

from connector.auth import Grant, Keeper, Token
from connector.refusals import Symptom
from connector.subscription.errors import (
    ConnectFailed,
    HandshakeRefused,
    ServerRefused,
    SessionError,
    SocketClosed,
)
from connector.task.remedy import Remedy
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


def ended(
    place: str, *, text: str = "", status: int | None = None, retry_after: float | None = None
) -> SessionError:
    symptom = Symptom(place=place, status=status, texts=(text,) if text else ())
    return SessionError(f"{place} {text}", symptom, retry_after=retry_after)


LOST, BUSY, WRONG = ended("connect"), ended("stream", text="too many sessions"), ended("subscribe")


@pytest.mark.parametrize(
    "error",
    [
        ended("handshake", status=503, retry_after=77),
        ended("handshake", status=429, retry_after=77),
        ended("handshake", status=404, retry_after=77),
        ended("handshake", status=401, retry_after=77),
        ended("handshake", status=402, retry_after=77),
    ],
)
@pytest.mark.parametrize("with_keeper", [True, False])
def test_nobody_is_asked_again_before_the_time_it_asked_for(error: SessionError, with_keeper: bool) -> None:
    keeper = FakeKeeper(token()).as_keeper if with_keeper else None
    remedy = Remedy("s", rng=lambda: 0.0)
    for _ in range(3):
        assert remedy.after(error, token() if with_keeper else None, keeper)[1] >= 77


def test_a_token_is_not_rejected_for_other_reasons() -> None:
    keeper, remedy = FakeKeeper(), Remedy("s")
    for error in (LOST, BUSY, WRONG, ended("silence"), ended("close"), ended("new")):
        remedy.after(error, token(), keeper.as_keeper)
    assert keeper.rejected == []


def test_the_same_end_again_is_no_warning_again() -> None:
    remedy = Remedy("s")
    with capture_logs() as lines:
        for error in (LOST, LOST, BUSY, LOST):
            remedy.after(error, None, None)
        remedy.succeeded()
        remedy.after(LOST, None, None)
    assert [line["log_level"] for line in lines] == ["warning", "debug", "warning", "warning", "warning"]


def test_what_is_not_known_is_said() -> None:
    with capture_logs() as lines:
        Remedy("s").after(ended("stream", text="quota of the moon"), None, None)
    assert "quota of the moon" in lines[-1]["symptom"]
