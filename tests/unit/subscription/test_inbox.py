"""The budget: who sheds, and who does not."""

import anyio

from connector.subscription.inbox import RESUME_SHARE, SHED_SHARE, Budget, Holding, Inbox

LIMIT = 1000


def holdings(budget: Budget, count: int) -> tuple[list[Holding], list[int]]:
    told: list[int] = []
    return [budget.open(lambda number=number: told.append(number)) for number in range(count)], told  # type: ignore[misc]


def test_the_largest_holder_sheds_and_no_other() -> None:
    budget = Budget(LIMIT)
    (small, large), told = holdings(budget, 2)
    small.take(300)
    large.take(round(LIMIT * SHED_SHARE) - 300)
    assert told == []
    small.take(1)
    assert told == [1]
    small.take(20)  # room for what still comes until the peer's Close
    assert told == [1]


def test_at_the_bound_another_one_sheds() -> None:
    budget = Budget(LIMIT)
    (small, large), told = holdings(budget, 2)
    small.take(300)
    large.take(600)
    assert told == [1]
    small.take(100)
    assert told == [1, 0]


def test_whoever_came_back_may_be_told_again() -> None:
    budget = Budget(LIMIT)
    (one,), told = holdings(budget, 1)
    one.take(900)
    one.release(900)
    one.settled()
    one.take(900)
    assert told == [0, 0]


async def test_room_wakes_who_waits_for_it() -> None:
    budget = Budget(LIMIT)
    (one,), _ = holdings(budget, 1)
    one.take(900)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(budget.below, RESUME_SHARE)
            await anyio.lowlevel.checkpoint()
            one.release(600)
    assert budget.used == 300


async def test_a_closed_inbox_is_emptied_first() -> None:
    inbox: Inbox[int] = Inbox()
    inbox.put(1)
    inbox.put(2)
    inbox.close()
    assert [await inbox.get(), await inbox.get(), await inbox.get()] == [1, 2, None]


async def test_cancelling_a_wait_loses_nothing() -> None:
    inbox: Inbox[int] = Inbox()
    with anyio.move_on_after(0):
        await inbox.get()
    inbox.put(1)
    assert await inbox.get() == 1
