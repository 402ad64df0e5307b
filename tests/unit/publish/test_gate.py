"""Small batches leave together, and whatever comes after a pause leaves at once."""

import asyncio

import anyio
import pytest

from connector.publish.gate import LARGE, Gate

BEAT, MOMENT = 100.0, 10.0  # the clock jumps, and the machine may be slow


class Leaving:
    """When batches left, by their numbers."""

    def __init__(self, *, spare: int = 0) -> None:
        self.gate = Gate(beat=BEAT, moment=MOMENT, spare=spare)
        self.began = asyncio.get_running_loop().time()
        self.left: list[tuple[int, float]] = []

    async def one(self, number: int, rows: int = 1) -> None:
        await self.gate.passed(rows)
        self.left.append((number, asyncio.get_running_loop().time() - self.began))


async def test_the_batches_of_a_moment_leave_at_once_and_later_ones_together() -> None:
    leaving = Leaving()
    async with anyio.create_task_group() as group:
        for number in range(4):
            group.start_soon(leaving.one, number)
        await anyio.sleep(2 * MOMENT)
        group.start_soon(leaving.one, 4)
        await anyio.sleep(BEAT / 2)
        group.start_soon(leaving.one, 5)
        group.start_soon(leaving.one, 6)
    times = dict(leaving.left)
    assert max(times[number] for number in range(4)) < MOMENT
    later = [times[number] for number in (4, 5, 6)]
    assert min(later) >= BEAT
    assert max(later) - min(later) < MOMENT
    assert [number for number, _ in leaving.left] == list(range(7))


async def test_after_a_pause_nothing_waits() -> None:
    leaving = Leaving()
    for number in range(5):
        before = asyncio.get_running_loop().time() - leaving.began
        await leaving.one(number)
        assert leaving.left[-1][1] - before < MOMENT
        await anyio.sleep(BEAT)


async def test_what_was_not_needed_is_kept_for_later_up_to_a_bound() -> None:
    leaving = Leaving(spare=3)
    for quiet in (0.0, 50 * BEAT):
        await anyio.sleep(quiet)
        waits = []
        for number in range(7):
            before = asyncio.get_running_loop().time() - leaving.began
            await leaving.one(number)
            waits.append(leaving.left[-1][1] - before)
            await anyio.sleep(2 * MOMENT)
        assert max(waits[:4]) < MOMENT
        assert min(waits[4:]) > MOMENT
    between = leaving.left[-1][1] - leaving.left[-2][1]
    assert between == pytest.approx(BEAT, abs=MOMENT)


async def test_a_large_batch_never_waits() -> None:
    leaving = Leaving()
    await leaving.one(0)
    await anyio.sleep(2 * MOMENT)
    await leaving.one(1, rows=LARGE)
    assert leaving.left[-1][1] < BEAT


@pytest.mark.parametrize("cancelled", [0, 1, 2])
async def test_one_that_gives_up_holds_up_nobody(cancelled: int) -> None:
    leaving = Leaving()
    await leaving.one(9)
    await anyio.sleep(2 * MOMENT)
    async with anyio.create_task_group() as group:
        scopes = [anyio.CancelScope() for _ in range(3)]

        async def leave(number: int) -> None:
            with scopes[number]:
                await leaving.one(number)

        for number in range(3):
            group.start_soon(leave, number)
        await anyio.sleep(MOMENT)
        scopes[cancelled].cancel()
    assert sorted(number for number, _ in leaving.left) == sorted({0, 1, 2, 9} - {cancelled})
