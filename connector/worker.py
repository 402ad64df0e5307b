"""
All that lives as long as the process, in one task group.

The indentation says who outlives whom: the API answers from the beginning to the end; on a signal the
sessions close, what they delivered is published, and only then does the rest go.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Protocol

import anyio
import structlog
from anyio.abc import TaskStatus

from connector.api import ApiServer
from connector.auth import Keeper
from connector.signals import STOPPING, heard

log = structlog.get_logger(__name__)


class Undelivered(Exception):
    """The drain's deadline passed with ``frames`` received frames not in Kafka."""

    def __init__(self, frames: int) -> None:
        super().__init__(f"stopped with {frames} received frames not acknowledged by kafka")
        self.frames = frames


class TaskSet(Protocol):
    """The source tasks, which may come and go while they run; `connector.herder.Herder` is one."""

    @property
    def undelivered(self) -> int:
        """Frames that were received and are not through."""

    async def run(self) -> None:
        """Return after `stop`, once what was received is in Kafka."""

    def stop(self) -> None:
        """Close every session on purpose."""


class Worker:
    """
    ``drain`` is how many seconds after a signal everything has to be done; ``chores`` run until it comes.
    """

    def __init__(
        self,
        *,
        tasks: TaskSet,
        keepers: Sequence[Keeper],
        api: ApiServer,
        drain: float,
        chores: Sequence[Callable[[], Coroutine[None, None, None]]] = (),
    ) -> None:
        self._tasks = tasks
        self._keepers = tuple(keepers)
        self._api = api
        self._drain = drain
        self._chores = tuple(chores)
        self._stopped_at: float | None = None
        self._stopping = anyio.Event()

    async def run(self) -> None:
        """
        Return after SIGTERM, SIGINT or SIGHUP, once what was received is in Kafka.

        A second signal ends at once; but SIGHUP, which a shell and the system may both send.

        Raises:
            Undelivered: Not everything was in Kafka within the drain, or before the second signal.
            FatalError: The API cannot listen.
        """
        async with anyio.create_task_group() as outer:
            # Alive and observable before anything else can fail.
            await outer.start(self._serve)
            async with anyio.create_task_group() as inner:
                with anyio.CancelScope() as working:
                    await inner.start(self._stop_on_signal, working)
                    for keeper in self._keepers:
                        inner.start_soon(keeper.run)
                    for chore in self._chores:
                        inner.start_soon(self._until_stopping, chore)
                    await self._tasks.run()
                inner.cancel_scope.cancel()
            outer.cancel_scope.cancel()
        self._account()

    async def _serve(self, *, task_status: TaskStatus[int]) -> None:
        await self._api.serve(task_status=task_status)

    async def _stop_on_signal(self, working: anyio.CancelScope, *, task_status: TaskStatus[None]) -> None:
        with anyio.open_signal_receiver(*STOPPING) as signals, heard():
            task_status.started()
            async for number in signals:
                if self._stopped_at is not None:
                    if number == signal.SIGHUP:
                        continue
                    log.warning("stopping at once", signal=signal.Signals(number).name)
                    working.cancel()
                    return
                self._stopped_at = time.monotonic()
                log.info(
                    "stopping: sessions close, what was received is published",
                    signal=signal.Signals(number).name,
                    within_seconds=self._drain,
                )
                self._stopping.set()
                working.deadline = anyio.current_time() + self._drain
                self._tasks.stop()

    async def _until_stopping(self, chore: Callable[[], Coroutine[None, None, None]]) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(chore)
            await self._stopping.wait()
            group.cancel_scope.cancel()

    def _account(self) -> None:
        frames = self._tasks.undelivered
        took = time.monotonic() - self._stopped_at if self._stopped_at is not None else 0.0
        if frames:
            raise Undelivered(frames)
        log.info("stopped", seconds=round(took, 2))
