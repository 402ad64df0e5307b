"""Sessions that are opened where there is none, beside others that are being replaced."""

from __future__ import annotations

import anyio

from connector.task.openings import Openings


class Room:
    """Has so many streams left; counts changes."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.changes = 0
        self.openings = Openings(may=lambda streams: streams <= self.left, changed=self._changed)

    def _changed(self) -> None:
        self.changes += 1


async def settle() -> None:
    await anyio.sleep(0.001)


async def test_who_has_room_need_not_wait_and_goes_on_until_it_is_told() -> None:
    room = Room(1)
    await room.openings.begin("a", 1)
    assert room.openings
    for _ in range(2):
        room.openings.end("a")
    assert not room.openings
    assert room.changes == 1


async def test_who_waits_is_let_in_once_there_is_room_and_counts_from_its_asking_on() -> None:
    room, begun = Room(0), []

    async def open_one(who: str, streams: int) -> None:
        await room.openings.begin(who, streams)
        begun.append(who)

    async with anyio.create_task_group() as group:
        group.start_soon(open_one, "large", 2)
        group.start_soon(open_one, "small", 1)
        await settle()
        assert room.openings
        room.left = 1
        room.openings.look()
        await settle()
        assert begun == ["small"]
        room.left = 2
        room.openings.look()
        await settle()
        assert begun == ["small", "large"]


async def test_who_is_cancelled_while_it_waits_keeps_nobody_from_anything() -> None:
    room = Room(0)
    with anyio.move_on_after(0.01):
        await room.openings.begin("a", 1)
    assert not room.openings
    assert room.changes == 1


async def test_waiting_for_others_keeps_nobody_from_anything() -> None:
    room = Room(0)
    async with anyio.create_task_group() as group:
        group.start_soon(room.openings.wait, 1)
        await settle()
        assert not room.openings
        room.left = 1
        room.openings.look()
