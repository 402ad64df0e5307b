"""A source task: a fixed bucket of subscriptions with one way to Kafka."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

import anyio
import structlog
from anyio.abc import TaskGroup

from connector.publish import EventsTopic, Publisher
from connector.task.subscription_runner import SubscriptionRunner
from connector.task.task_offsets import TaskOffsets

log = structlog.get_logger(__name__)

REMIND_AFTER = 30.0
"""Seconds after which a removed subscription whose rows are not in Kafka is named."""


def bucket(name: str, tasks: int) -> int:
    """Return the task, from 0, that subscription ``name`` belongs to for as long as ``tasks`` stays."""
    return zlib.crc32(name.encode()) % tasks


class Task:
    """
    ``runners`` deliver through ``publisher``; trouble of one leaves the others running.

    More may be added, and others removed, while it runs. It connects to the brokers once it has one.
    ``gone`` is called with the name of a removed subscription when what it received is in Kafka.
    ``events`` of ``None``: gaps are no events; nor are offsets kept, with ``offsets`` of ``None``.
    """

    def __init__(
        self,
        number: int,
        runners: Sequence[SubscriptionRunner],
        publisher: Publisher,
        *,
        gone: Callable[[str], None] = lambda name: None,
        events: EventsTopic | None = None,
        offsets: TaskOffsets | None = None,
    ) -> None:
        self.number = number
        self.publisher = publisher
        self.events = events
        self.offsets = offsets
        self._present = {runner.name: runner for runner in runners}
        self._leaving: list[SubscriptionRunner] = []
        self._gone = gone
        self._is_used = False
        self._running: TaskGroup | None = None
        self._whole: TaskGroup | None = None
        self._stopping = anyio.Event()

    @property
    def runners(self) -> tuple[SubscriptionRunner, ...]:
        """Those that are configured now."""
        return tuple(self._present.values())

    @property
    def is_used(self) -> bool:
        """Whether it has, or had, a subscription, and therefore a way to the brokers."""
        return self._is_used or bool(self._present)

    @property
    def undelivered(self) -> int:
        """Frames that were received and are not through, those of removed subscriptions included."""
        return sum(runner.undelivered for runner in (*self._present.values(), *self._leaving))

    def stop(self) -> None:
        """Close every session on purpose."""
        self._stopping.set()
        self.publisher.hurry()
        for runner in self._present.values():
            runner.stop()

    def add(self, runner: SubscriptionRunner) -> None:
        """
        Follow one more, or another in the place of one with the same name; after `stop` none.

        The session of one that is replaced is closed first; what that received is delivered besides.
        """
        if self._stopping.is_set():
            return
        before = self._last(runner.name)
        old = self._present.pop(runner.name, None)
        if old is not None:
            runner.replace(old)
            self._leaving.append(old)
        self._present[runner.name] = runner
        if self._whole is not None and self._running is not None:
            self._use(self._whole)
            self._running.start_soon(self._follow, runner, before)

    def remove(self, name: str) -> None:
        """Stop one in good order; it is forgotten once what it received is in Kafka."""
        runner = self._present.pop(name)
        self._leaving.append(runner)
        runner.stop()

    async def run(self) -> None:
        """Return once stopped, with what all received in Kafka, and what is told of their gaps."""
        try:
            async with anyio.create_task_group() as self._whole:
                async with anyio.create_task_group() as self._running:
                    for runner in self.runners:
                        self._use(self._whole)
                        self._running.start_soon(self._follow, runner, None)
                    await self._stopping.wait()
                if self.offsets is not None:
                    await self.offsets.flush()
                if self.events is not None:
                    await self.events.drain_all()  # last: rows do not wait for them
                self._whole.cancel_scope.cancel()
        finally:
            if self.events is not None:
                self.events.say_the_rest()

    def _last(self, name: str) -> SubscriptionRunner | None:
        known = [runner for runner in self._leaving if runner.name == name]
        return self._present.get(name) or (known[-1] if known else None)

    def _use(self, group: TaskGroup) -> None:
        if not self._is_used:
            self._is_used = True
            group.start_soon(self.publisher.run)
            if self.events is not None:
                group.start_soon(self.events.run)
            if self.offsets is not None:
                group.start_soon(self.offsets.run)

    async def _follow(self, runner: SubscriptionRunner, after: SubscriptionRunner | None) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(self._remind, runner)
            await runner.run(after=after)
            if self.events is not None and self._last(runner.name) is runner:
                await self._until_told(runner.name, self.events)
            group.cancel_scope.cancel()
        if runner in self._leaving:
            self._leaving.remove(runner)
            self._forget(runner)

    async def _until_told(self, name: str, events: EventsTopic) -> None:
        """Return once the brokers have the events of ``name``, or this stops and waits for those of all."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._cancel_at_stop, group.cancel_scope)
            await events.drain(name)
            group.cancel_scope.cancel()

    async def _cancel_at_stop(self, scope: anyio.CancelScope) -> None:
        await self._stopping.wait()
        scope.cancel()

    def _forget(self, runner: SubscriptionRunner) -> None:
        if self._last(runner.name) is None:
            if self.events is not None and not self._stopping.is_set():
                self.events.forget(runner.name)
            self._gone(runner.name)
        wanted = {name for present in self._present.values() for name in present.topics}
        if self.events is not None:
            wanted.add(self.events.name)  # for as long as the task is
        for name in runner.topics:
            if name not in wanted:
                self.publisher.forget(name)

    async def _remind(self, runner: SubscriptionRunner) -> None:
        await runner.disconnected.wait()
        await anyio.sleep(REMIND_AFTER)
        if runner in self._leaving:
            log.warning(
                "rows of a removed or changed subscription are not in kafka yet",
                subscription=runner.name,
                frames=runner.undelivered,
                gap_events=0 if self.events is None else self.events.undelivered(runner.name),
            )
