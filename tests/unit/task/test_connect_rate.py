"""Sessions are opened one after another, and a few at once."""

import random

import anyio
import pytest

from connector.task.connect_rate import AT_ONCE, PER_SECOND, ConnectRateLimiter


class Clock:
    """A clock that sleepers move on; each sleeps for itself, from now."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept = 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept = seconds


async def passes(rate: ConnectRateLimiter, clock: Clock, count: int) -> list[float]:
    """When each of ``count`` that ask now may go on."""
    moments = []
    for _ in range(count):
        clock.slept = 0.0
        await rate.turn()
        moments.append(clock.now + clock.slept)
    return moments


async def test_a_few_come_at_once_and_the_rest_one_after_another() -> None:
    clock = Clock()
    moments = await passes(ConnectRateLimiter(clock=lambda: clock.now, sleep=clock.sleep), clock, 500)
    assert moments[:AT_ONCE] == [clock.now] * AT_ONCE
    assert moments == sorted(moments)
    assert moments[-1] - moments[0] == pytest.approx((500 - AT_ONCE) / PER_SECOND)


async def test_no_second_sees_more_than_the_pace_however_they_come() -> None:
    rng, clock = random.Random(1), Clock()
    rate = ConnectRateLimiter(clock=lambda: clock.now, sleep=clock.sleep)
    moments: list[float] = []
    for _ in range(300):
        clock.now += rng.choice((0.0, 0.001, 0.5))
        moments += await passes(rate, clock, rng.randrange(20))
    for start in moments:
        assert sum(start <= moment < start + 1.0 for moment in moments) <= PER_SECOND + AT_ONCE


async def test_who_comes_alone_never_waits() -> None:
    clock = Clock()
    rate = ConnectRateLimiter(clock=lambda: clock.now, sleep=clock.sleep)
    for _ in range(50):
        clock.now += 1 / PER_SECOND
        assert await passes(rate, clock, 1) == [clock.now]


async def test_who_gives_up_holds_nobody_up_for_longer_than_a_turn() -> None:
    rate = ConnectRateLimiter()
    for _ in range(AT_ONCE):
        await rate.turn()
    with anyio.move_on_after(0):
        await rate.turn()
    with anyio.fail_after(5):
        await rate.turn()
