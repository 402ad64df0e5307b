"""Small batches leave together, and whatever comes after a pause leaves at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import anyio
import pytest

from connector.publish.request_scheduler import LARGE, RequestScheduler

BEAT, MOMENT = 100.0, 10.0  # the clock jumps, and the machine may be slow


@dataclass
class One:
    """A batch of ``rows`` that leaves."""

    leaving: Leaving
    number: int
    rows: int

    @property
    def is_large(self) -> bool:
        return self.rows >= LARGE

    def send(self) -> None:
        self.leaving.left.append((self.number, self.leaving.now))


class Leaving:
    """When batches left, by their numbers."""

    def __init__(self, *, spare: int = 0) -> None:
        self.scheduler = RequestScheduler(beat=BEAT, moment=MOMENT, spare=spare)
        self._began = asyncio.get_running_loop().time()
        self.left: list[tuple[int, float]] = []

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time() - self._began

    def join(self, *numbers: int, rows: int = 1) -> None:
        for number in numbers:
            self.scheduler.schedule(One(self, number, rows))

    async def wait(self, number: int) -> float:
        """Join, and return how long it took to leave."""
        before = self.now
        self.join(number)
        while not self.left or self.left[-1][0] != number:  # noqa: ASYNC110 - the clock jumps
            await anyio.sleep(MOMENT / 100)
        return self.left[-1][1] - before


async def test_the_batches_of_a_moment_leave_at_once_and_later_ones_together() -> None:
    leaving = Leaving()
    leaving.join(0, 1, 2, 3)
    assert leaving.left == []  # more of them may come in this turn of the loop
    await anyio.sleep(2 * MOMENT)
    leaving.join(4)
    await anyio.sleep(BEAT / 2)
    leaving.join(5, 6)
    await anyio.sleep(BEAT)
    times = dict(leaving.left)
    assert max(times[number] for number in range(4)) < MOMENT
    later = [times[number] for number in (4, 5, 6)]
    assert min(later) >= BEAT
    assert max(later) - min(later) < MOMENT
    assert [number for number, _ in leaving.left] == list(range(7))


async def test_after_a_pause_nothing_waits() -> None:
    leaving = Leaving()
    for number in range(5):
        assert await leaving.wait(number) < MOMENT
        await anyio.sleep(BEAT)


async def test_what_was_not_needed_is_kept_for_later_up_to_a_bound() -> None:
    leaving = Leaving(spare=3)
    for quiet in (0.0, 50 * BEAT):
        await anyio.sleep(quiet)
        waits = []
        for number in range(7):
            waits.append(await leaving.wait(number))
            await anyio.sleep(2 * MOMENT)
        assert max(waits[:4]) < MOMENT
        assert min(waits[4:]) > MOMENT
    between = leaving.left[-1][1] - leaving.left[-2][1]
    assert between == pytest.approx(BEAT, abs=MOMENT)


async def test_a_large_batch_never_waits() -> None:
    leaving = Leaving()
    await leaving.wait(0)
    await anyio.sleep(2 * MOMENT)
    leaving.join(1, rows=LARGE)
    await anyio.sleep(MOMENT)
    assert [number for number, _ in leaving.left] == [0, 1]


async def test_a_batch_that_grows_while_all_look_for_their_turn_need_not_wait() -> None:
    leaving = Leaving()
    await leaving.wait(0)
    await anyio.sleep(2 * MOMENT)
    one = One(leaving, 1, rows=1)
    leaving.scheduler.schedule(one)
    one.rows = LARGE  # by what comes in the same turn
    await anyio.sleep(MOMENT)
    assert [number for number, _ in leaving.left] == [0, 1]
