"""The alarm of a session that lives and brings no data."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from connector.task import State
from connector.task.quiet import watch_data
from connector.task.status import StatusTracker
from tests.unit.task.fakes import Told


class Tracker(StatusTracker):
    """Knows the time of the loop."""

    @staticmethod
    def now() -> float:
        return anyio.current_time()


@asynccontextmanager
async def watched(limit: float = 300.0) -> AsyncIterator[tuple[Tracker, Told]]:
    told = Told()
    tracker = Tracker(told)
    async with anyio.create_task_group() as group:
        group.start_soon(watch_data, "s", limit, tracker, told)
        yield tracker, told
        group.cancel_scope.cancel()


async def test_it_is_raised_after_its_time_and_a_row_clears_it() -> None:
    async with watched() as (tracker, told):
        tracker.enter(State.LIVE)
        await anyio.sleep(290)
        assert told.alarms == []
        await anyio.sleep(30)
        assert told.alarms == [True]
        tracker.last_row_at = tracker.now()
        await anyio.sleep(20)
        assert told.alarms == [True, False]


async def test_a_session_that_is_reopened_on_purpose_goes_on_being_silent() -> None:
    async with watched() as (tracker, told):
        for _ in range(10):
            tracker.enter(State.LIVE)
            await anyio.sleep(100)
            for state in (State.REOPENING, State.TOKEN, State.CONNECTING):
                tracker.enter(state)
                await anyio.sleep(11)
        assert told.alarms == [True]


@pytest.mark.parametrize("state", [State.WAITING, State.SHEDDING, State.FAILED, State.STOPPED])
async def test_where_there_is_no_session_nothing_is_expected(state: State) -> None:
    async with watched() as (tracker, told):
        tracker.enter(State.LIVE)
        await anyio.sleep(320)
        tracker.enter(state)
        await anyio.sleep(20)
        assert told.alarms == [True, False]
        tracker.enter(State.LIVE)
        await anyio.sleep(250)
        assert told.alarms == [True, False]
