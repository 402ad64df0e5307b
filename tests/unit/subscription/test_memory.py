"""The budget: who sheds, and who does not."""

import gc
import weakref

import anyio
from hypothesis import given
from hypothesis import strategies as st

from connector.subscription.memory import SHED_SHARE, MemoryBudget, MemoryShare

LIMIT = 1000


def shares(budget: MemoryBudget, count: int) -> tuple[list[MemoryShare], list[int]]:
    told: list[int] = []
    return [budget.open(lambda number=number: told.append(number)) for number in range(count)], told  # type: ignore[misc]


def test_the_largest_holder_sheds_and_no_other() -> None:
    budget = MemoryBudget(LIMIT)
    (small, large), told = shares(budget, 2)
    small.take(300)
    large.take(round(LIMIT * SHED_SHARE) - 300)
    assert told == []
    small.take(1)
    assert told == [1]
    small.take(20)  # room for what still comes until the peer's Close
    assert told == [1]


def test_another_one_sheds_when_too_much_of_what_is_left_is_held() -> None:
    budget = MemoryBudget(LIMIT)
    (small, large), told = shares(budget, 2)
    large.take(500)
    small.take(300)
    large.take(100)
    assert told == [1]
    small.take(40)  # 340 of the 400 that the other one leaves
    assert told == [1]
    small.take(1)
    assert told == [1, 0]


def test_who_holds_what_kafka_does_not_take_keeps_nobody_else_from_a_session() -> None:
    budget = MemoryBudget(LIMIT)
    (stuck, other), told = shares(budget, 2)
    for _ in range(9):
        stuck.take(100)  # its topic is gone, say, and stays gone
    assert told == [0]
    other.take(50)
    assert told == [0]
    other.take(40)  # now Kafka stalls for the other one too
    assert told == [0, 1]
    other.release(90)
    other.resumed()
    other.take(50)
    assert told == [0, 1]


async def test_who_shed_comes_back_although_another_holds_nearly_everything() -> None:
    budget = MemoryBudget(LIMIT)
    (stuck, other), _ = shares(budget, 2)
    for _ in range(9):
        stuck.take(100)
    other.take(90)
    other.release(90)
    with anyio.fail_after(5):
        await budget.wait_until_uncrowded()


async def test_who_has_no_session_any_more_is_not_told_and_keeps_nobody_from_theirs() -> None:
    budget = MemoryBudget(LIMIT)
    (gone, other), told = shares(budget, 2)
    gone.take(800)
    gone.close()
    other.take(100)
    assert told == []
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(budget.wait_until_uncrowded)
            await anyio.lowlevel.checkpoint()
            other.release(50)
    other.take(121)  # 171 of the 200 that are left
    assert told == [1]
    gone.release(800)
    assert (budget.used, gone.held) == (171, 0)


async def test_what_somebody_left_behind_does_not_keep_those_waiting_who_came_later() -> None:
    budget = MemoryBudget(LIMIT)
    (gone,), told = shares(budget, 1)
    gone.take(600)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(budget.wait_until_uncrowded)
            await anyio.lowlevel.checkpoint()
            gone.close()
    gone.release(600)
    assert told == []


def test_one_that_was_closed_is_forgotten_once_it_holds_nothing() -> None:
    budget = MemoryBudget(LIMIT)
    for held in (0, 100):
        memory = budget.open(lambda: None)
        memory.take(held)
        memory.close()
        memory.release(held)
        forgotten = weakref.ref(memory)
        del memory
        gc.collect()
        assert forgotten() is None


def test_one_message_larger_than_all_the_rest_sheds_nobody() -> None:
    budget = MemoryBudget(LIMIT)
    (one,), told = shares(budget, 1)
    one.take(100)
    one.take(870)
    assert told == []
    one.take(1)
    assert told == [0]


def test_whoever_came_back_may_be_told_again() -> None:
    budget = MemoryBudget(LIMIT)
    (one,), told = shares(budget, 1)
    for _ in range(2):
        one.take(450)
        one.take(450)
        one.release(900)
        one.resumed()
    assert told == [0, 0]


async def test_room_wakes_who_waits_for_it() -> None:
    budget = MemoryBudget(LIMIT)
    (one,), _ = shares(budget, 1)
    one.take(1000)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(budget.wait_for_room)
            await anyio.lowlevel.checkpoint()
            one.release(1)
    assert budget.used == 999


class Sheds:
    """Notes who was told to shed."""

    def __init__(self, budget: MemoryBudget, *names: str) -> None:
        self.told: list[str] = []
        self.of: dict[str, MemoryShare] = {name: budget.open(self._note(name)) for name in names}

    def _note(self, name: str):  # type: ignore[no-untyped-def]
        return lambda: self.told.append(name)


def test_nobody_is_told_twice() -> None:
    sheds = Sheds(MemoryBudget(100), "a", "b", "c")
    sheds.of["a"].take(50)
    sheds.of["b"].take(36)
    assert sheds.told == ["a"]
    sheds.of["b"].take(13)
    assert sheds.told == ["a", "b"]
    sheds.of["c"].take(1)
    assert sheds.told == ["a", "b", "c"]
    sheds.of["c"].take(50)
    assert sheds.told == ["a", "b", "c"]


def test_who_holds_nothing_is_not_told() -> None:
    sheds = Sheds(MemoryBudget(100), "a", "b")
    sheds.of["a"].take(200)
    sheds.of["a"].take(1)
    assert sheds.told == ["a"]


def test_one_that_stays_told_no_longer_hides_the_others_once_settled() -> None:
    sheds = Sheds(MemoryBudget(100), "a", "b")
    for name in "ab":
        sheds.of[name].take(45)
        sheds.of[name].take(45)
        sheds.of[name].release(90)
        sheds.of[name].resumed()
    assert sheds.told == ["a", "b"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 40), st.booleans()), max_size=60))
def test_the_budget_is_the_sum_of_what_is_held(moves: list[tuple[str, int, bool]]) -> None:
    budget = MemoryBudget(100)
    sheds = Sheds(budget, *"abc")
    for name, size, releases in moves:
        memory = sheds.of[name]
        if releases:
            memory.release(min(size, memory.held))
        else:
            memory.take(size)
            if budget.is_full:
                assert all(one.is_shedding for one in sheds.of.values() if one.held) or sheds.told
        assert budget.used == sum(one.held for one in sheds.of.values())
        assert budget.is_full is (budget.used >= 100)
    assert len(sheds.told) == len(set(sheds.told))


async def test_waiting_for_room_ends_with_the_release_that_makes_it() -> None:
    budget = MemoryBudget(100)
    memory = budget.open(lambda: None)
    memory.take(80)
    passed = anyio.Event()

    async def wait() -> None:
        await budget.wait_until_uncrowded()
        passed.set()

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        for left in (60, 41):
            await anyio.wait_all_tasks_blocked()
            memory.release(memory.held - left)
            await anyio.wait_all_tasks_blocked()
            assert (memory.held, passed.is_set()) == (left, False)
        memory.release(1)
        with anyio.fail_after(5):
            await passed.wait()


async def test_who_waits_for_room_that_is_there_does_not_wait() -> None:
    with anyio.fail_after(1):
        await MemoryBudget(100).wait_until_uncrowded()
        await MemoryBudget(100).wait_for_room()
