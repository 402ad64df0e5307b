"""Sessions that are opened where there is none, beside others that are being replaced."""

from __future__ import annotations

import anyio

from connector.task.openings import Openings


class Room:
    """Has so many streams left."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.openings = Openings(may=lambda streams: streams <= self.left)


async def settle() -> None:
    await anyio.sleep(0.001)


async def test_a_second_session_waits_until_nobody_opens_its_only_one() -> None:
    room, seen = Room(1), []

    async def open_second() -> None:
        await room.openings.until_none()
        seen.append(room.openings)

    await room.openings.begin("a", 1)
    await room.openings.begin("b", 1)
    async with anyio.create_task_group() as group:
        group.start_soon(open_second)
        await settle()
        for _ in range(2):
            room.openings.end("a")
        await settle()
        assert seen == []
        room.openings.end("b")
        await settle()
        assert seen != []


async def test_who_waits_is_let_in_once_there_is_room() -> None:
    room, begun = Room(0), []

    async def open_one(who: str, streams: int) -> None:
        await room.openings.begin(who, streams)
        begun.append(who)

    async with anyio.create_task_group() as group:
        group.start_soon(open_one, "large", 2)
        group.start_soon(open_one, "small", 1)
        await settle()
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
    with anyio.fail_after(1):
        await room.openings.until_none()
