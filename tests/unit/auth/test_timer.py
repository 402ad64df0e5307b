"""A moment to wait for, moved while somebody waits."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from connector.auth.timer import Timer

from .fakes import FakeTime, settle


@asynccontextmanager
async def waiting(timer: Timer) -> AsyncIterator[list[str]]:
    heard: list[str] = []

    async def wait() -> None:
        await timer.wait()
        heard.append("now")

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await settle()
        yield heard
        group.cancel_scope.cancel()


async def test_at_first_the_moment_has_come() -> None:
    time = FakeTime()
    timer = Timer(clock=time.clock, sleep=time.sleep)
    assert timer.seconds_left == 0
    with anyio.fail_after(5):
        await timer.wait()


async def test_it_is_waited_for_wherever_it_is_moved_to() -> None:
    time = FakeTime()
    timer = Timer(clock=time.clock, sleep=time.sleep)
    timer.move(math.inf)
    async with waiting(timer) as heard:
        await time.advance(1000)
        timer.move(time.now + 10)
        assert timer.seconds_left == 10
        await time.advance(9)
        timer.move(time.now + 10)
        await time.advance(9)
        assert heard == []
        await time.advance(1)
        assert heard == ["now"]


async def test_moved_to_now_it_is_not_waited_for_any_more() -> None:
    time = FakeTime()
    timer = Timer(clock=time.clock, sleep=time.sleep)
    timer.move(time.now + 100)
    async with waiting(timer) as heard:
        timer.move(time.now)
        await settle()
        assert heard == ["now"]
