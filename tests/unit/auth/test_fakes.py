"""The fakes keep time as the real thing would."""

import anyio

from .fakes import FakeTime, settle


async def test_sleepers_wake_in_order_and_at_their_time() -> None:
    time, woken = FakeTime(), list[tuple[str, float]]()

    async def sleeper(name: str, seconds: float) -> None:
        await time.sleep(seconds)
        woken.append((name, time.now))
        await time.sleep(seconds)
        woken.append((name, time.now))

    async with anyio.create_task_group() as group:
        group.start_soon(sleeper, "slow", 3)
        group.start_soon(sleeper, "fast", 2)
        await settle()
        await time.advance(1.9)
        assert woken == []
        await time.advance(10)
    assert woken == [("fast", 1002), ("slow", 1003), ("fast", 1004), ("slow", 1006)]
