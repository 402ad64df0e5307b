"""A reader is slowed down for moments, by its own rows, and only while they are acknowledged."""

from dataclasses import replace

import anyio
import pytest

from connector.subscription import MemoryBudget, MemoryShare
from connector.subscription.backpressure import DEFAULT, MOST_SLOWED, STRIDE, Backpressure, BackpressurePolicy

LIMIT = 1000


def shares(count: int) -> list[MemoryShare]:
    budget = MemoryBudget(LIMIT)
    return [budget.open(lambda: None) for _ in range(count)]


HOUR = 3600.0
PATIENT = BackpressurePolicy(each=HOUR, most=HOUR, standstill=HOUR)
"""Whoever is slowed down waits until it may go on, and Kafka never counts as standing still."""


async def is_slowed_down(memory: MemoryShare, policy: BackpressurePolicy = PATIENT) -> bool:
    went_on = anyio.Event()

    async def look() -> None:
        await Backpressure(memory, policy).wait_if_ahead()
        went_on.set()

    async with anyio.create_task_group() as group:
        group.start_soon(look)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    return not went_on.is_set()


async def test_it_waits_for_its_own_rows_until_nobody_is_kept_from_coming_back() -> None:
    one, other = shares(2)
    one.take(450)
    assert not await is_slowed_down(one)  # nothing of it was ever acknowledged
    one.release(50)
    assert not await is_slowed_down(one)
    other.take(1)
    assert await is_slowed_down(one)
    assert not await is_slowed_down(other)  # less than its share
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(Backpressure(one, PATIENT).wait_if_ahead)
            await anyio.wait_all_tasks_blocked()
            one.release(1)


async def test_a_release_that_is_not_enough_does_not_let_it_go_on() -> None:
    (one,) = shares(1)
    one.take(600)
    one.release(1)
    async with anyio.create_task_group() as group:
        went_on = anyio.Event()

        async def look() -> None:
            await Backpressure(one, PATIENT).wait_if_ahead()
            went_on.set()

        group.start_soon(look)
        await anyio.wait_all_tasks_blocked()
        one.release(198)
        await anyio.wait_all_tasks_blocked()
        assert not went_on.is_set()
        one.release(1)
        with anyio.fail_after(5):
            await went_on.wait()


async def test_others_rows_that_nobody_takes_slow_it_down_only_as_far_as_it_has_many_itself() -> None:
    stuck, other = shares(2)
    stuck.take(600)  # its topic is gone, and its upstream quiet
    other.take(200)
    other.release(1)
    assert not await is_slowed_down(other)
    assert not await is_slowed_down(stuck)
    other.take(10)
    assert await is_slowed_down(other)


async def test_what_is_held_by_those_who_shed_slows_nobody_down() -> None:
    stuck, other = shares(2)
    stuck.take(800)
    stuck.take(60)
    assert stuck.is_shedding
    other.take(50)
    other.release(1)
    assert not await is_slowed_down(other)


@pytest.mark.parametrize("more", [False, True])
async def test_of_many_nobody_waits_for_what_waits_in_connections_is_not_counted(more: bool) -> None:
    one, *_ = shares(MOST_SLOWED + more)
    one.take(600)
    one.release(1)
    assert await is_slowed_down(one) is not more


async def test_it_waits_for_a_moment_only() -> None:
    (one,) = shares(1)
    one.take(600)
    one.release(1)
    with anyio.fail_after(30):
        await Backpressure(one, replace(DEFAULT, standstill=HOUR)).wait_if_ahead()


async def test_it_does_not_wait_longer_than_until_kafka_counts_as_standing_still() -> None:
    (one,) = shares(1)
    one.take(600)
    one.release(1)
    impatient = replace(PATIENT, standstill=DEFAULT.standstill)
    with anyio.fail_after(30):
        await Backpressure(one, impatient).wait_if_ahead()
    assert not await is_slowed_down(one, impatient)


@pytest.mark.parametrize(("limit", "stride"), [(1000, 50), (1 << 30, STRIDE)])
async def test_looks_are_due_by_what_was_taken(limit: int, stride: int) -> None:
    budget = MemoryBudget(limit)
    memory = budget.open(lambda: None)
    one = Backpressure(memory)
    assert one.is_due
    await one.wait_if_ahead()
    memory.take(stride - 1)
    memory.release(stride - 1)
    assert not one.is_due
    memory.take(1)
    assert one.is_due
