"""What lives as long as the process, and what ends when it begins to stop."""

from __future__ import annotations

import os
import signal
from typing import cast

import anyio
import pytest
from anyio.abc import TaskStatus

from connector.api import ApiServer
from connector.worker import Undelivered, Worker

DRAIN = 10.0


class FakeTasks:
    """Satisfies `TaskSet`; drains until a test lets it end; ``undelivered`` frames are left then."""

    def __init__(self) -> None:
        self.undelivered = 0
        self.stopped = anyio.Event()
        self.drained = anyio.Event()
        self.was_cut = False

    def stop(self) -> None:
        self.stopped.set()

    async def run(self) -> None:
        await self.stopped.wait()
        try:
            await self.drained.wait()
        except anyio.get_cancelled_exc_class():
            self.was_cut = True
            raise


class FakeApi:
    """Answers until cancelled."""

    async def serve(self, *, task_status: TaskStatus[int]) -> None:
        task_status.started(1)
        await anyio.sleep_forever()


class Chore:
    """Runs until it is cancelled."""

    def __init__(self) -> None:
        self.running = anyio.Event()
        self.ended = anyio.Event()

    async def __call__(self) -> None:
        self.running.set()
        try:
            await anyio.sleep_forever()
        finally:
            self.ended.set()


def worker(tasks: FakeTasks, chore: Chore) -> Worker:
    return Worker(tasks=tasks, keepers=[], api=cast(ApiServer, FakeApi()), drain=DRAIN, chores=[chore])


async def test_chores_end_when_stopping_begins_and_not_later() -> None:
    tasks, chore = FakeTasks(), Chore()
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(worker(tasks, chore).run)
            await chore.running.wait()
            os.kill(os.getpid(), signal.SIGTERM)
            await chore.ended.wait()
            assert tasks.stopped.is_set()  # and it still drains
            tasks.drained.set()


@pytest.mark.parametrize(("second", "is_cut"), [(signal.SIGHUP, False), (signal.SIGTERM, True)])
async def test_a_second_signal_cuts_the_drain_but_not_the_terminals(
    second: signal.Signals, is_cut: bool
) -> None:
    tasks, chore = FakeTasks(), Chore()
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(worker(tasks, chore).run)
            await chore.running.wait()
            os.kill(os.getpid(), signal.SIGTERM)
            await tasks.stopped.wait()
            os.kill(os.getpid(), second)
            with anyio.move_on_after(5 if is_cut else 0.5):
                while not tasks.was_cut:  # noqa: ASYNC110 - nobody tells of it
                    await anyio.sleep(0.01)
            tasks.drained.set()
    assert tasks.was_cut is is_cut


async def test_what_is_left_of_any_task_is_told() -> None:
    tasks, chore = FakeTasks(), Chore()
    tasks.undelivered = 3
    tasks.drained.set()
    with anyio.fail_after(20), pytest.RaisesGroup(pytest.RaisesExc(Undelivered, match="3 received frames")):
        async with anyio.create_task_group() as group:
            group.start_soon(worker(tasks, chore).run)
            await chore.running.wait()
            os.kill(os.getpid(), signal.SIGTERM)
