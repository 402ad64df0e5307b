"""The inbox: one writer, one reader, and nothing is lost."""

import anyio
import pytest

from connector.subscription.inbox import Inbox


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


@pytest.mark.parametrize("closes", [True, False])
async def test_a_waiting_reader_wakes(closes: bool) -> None:
    inbox: Inbox[int] = Inbox()
    got: list[int | None] = []

    async def read() -> None:
        got.append(await inbox.get())

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await anyio.wait_all_tasks_blocked()
            inbox.close() if closes else inbox.put(7)
    assert got == [None if closes else 7]


@pytest.mark.parametrize("first", ["put", "cancel"])
async def test_a_cancelled_reader_loses_nothing(first: str) -> None:
    inbox: Inbox[int] = Inbox()
    got: list[int | None] = []

    async def read() -> None:
        got.append(await inbox.get())

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await anyio.wait_all_tasks_blocked()
        if first == "put":
            inbox.put(1)
        group.cancel_scope.cancel()
        if first == "cancel":
            inbox.put(1)
    inbox.close()
    got.append(await inbox.get())
    assert got in ([1], [1, None])
