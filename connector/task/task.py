"""A source task: a fixed bucket of subscriptions with one way to Kafka."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

import anyio
import structlog
from anyio.abc import TaskGroup

from connector.publish import Publisher
from connector.task.follower import Follower

log = structlog.get_logger(__name__)

REMIND_AFTER = 30.0
"""Seconds after which a removed subscription whose rows are not in Kafka is named."""


def bucket(name: str, tasks: int) -> int:
    """Return the task, from 0, that subscription ``name`` belongs to for as long as ``tasks`` stays."""
    return zlib.crc32(name.encode()) % tasks


class Task:
    """
    ``followers`` deliver through ``publisher``; trouble of one leaves the others running.

    More may be added, and others removed, while it runs. It connects to the brokers once it has one.
    ``gone`` is called with the name of a removed subscription when what it received is in Kafka.
    """

    def __init__(
        self,
        number: int,
        followers: Sequence[Follower],
        publisher: Publisher,
        *,
        gone: Callable[[str], None] = lambda name: None,
    ) -> None:
        self.number = number
        self.publisher = publisher
        self._present = {follower.name: follower for follower in followers}
        self._leaving: list[Follower] = []
        self._gone = gone
        self._is_used = False
        self._followers: TaskGroup | None = None
        self._whole: TaskGroup | None = None
        self._stopping = anyio.Event()

    @property
    def followers(self) -> tuple[Follower, ...]:
        """Those that are configured now."""
        return tuple(self._present.values())

    @property
    def is_used(self) -> bool:
        """Whether it has, or had, a subscription, and therefore a way to the brokers."""
        return self._is_used or bool(self._present)

    @property
    def undelivered(self) -> int:
        """Frames that were received and are not through, those of removed subscriptions included."""
        return sum(follower.undelivered for follower in (*self._present.values(), *self._leaving))

    def stop(self) -> None:
        """Close every session on purpose."""
        self._stopping.set()
        for follower in self._present.values():
            follower.stop()

    def add(self, follower: Follower) -> None:
        """
        Follow one more, or another in the place of one with the same name; after `stop` none.

        The session of one that is replaced is closed first; what that received is delivered besides.
        """
        if self._stopping.is_set():
            return
        before = self._last(follower.name)
        old = self._present.pop(follower.name, None)
        if old is not None:
            follower.replace(old)
            self._leaving.append(old)
        self._present[follower.name] = follower
        if self._whole is not None and self._followers is not None:
            self._use(self._whole)
            self._followers.start_soon(self._follow, follower, before)

    def remove(self, name: str) -> None:
        """Stop one in good order; it is forgotten once what it received is in Kafka."""
        follower = self._present.pop(name)
        self._leaving.append(follower)
        follower.stop()

    async def run(self) -> None:
        """Return once stopped, with what all received in Kafka."""
        async with anyio.create_task_group() as self._whole:
            async with anyio.create_task_group() as self._followers:
                for follower in self.followers:
                    self._use(self._whole)
                    self._followers.start_soon(self._follow, follower, None)
                await self._stopping.wait()
            self._whole.cancel_scope.cancel()

    def _last(self, name: str) -> Follower | None:
        known = [follower for follower in self._leaving if follower.name == name]
        return self._present.get(name) or (known[-1] if known else None)

    def _use(self, group: TaskGroup) -> None:
        if not self._is_used:
            self._is_used = True
            group.start_soon(self.publisher.run)

    async def _follow(self, follower: Follower, after: Follower | None) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(self._remind, follower)
            await follower.run(after=after)
            group.cancel_scope.cancel()
        if follower in self._leaving:
            self._leaving.remove(follower)
            self._forget(follower)

    def _forget(self, follower: Follower) -> None:
        if self._last(follower.name) is None:
            self._gone(follower.name)
        wanted = {name for present in self._present.values() for name in present.topics}
        for name in follower.topics:
            if name not in wanted:
                self.publisher.forget(name)

    async def _remind(self, follower: Follower) -> None:
        await follower.disconnected.wait()
        await anyio.sleep(REMIND_AFTER)
        if follower in self._leaving:
            log.warning(
                "rows of a removed or changed subscription are not in kafka yet",
                subscription=follower.name,
                frames=follower.undelivered,
            )
