"""A source task: a fixed bucket of subscriptions with one way to Kafka."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import anyio

from connector.publish import Publisher
from connector.task.follower import Follower


def bucket(name: str, tasks: int) -> int:
    """Return the task, from 0, that subscription ``name`` belongs to for as long as ``tasks`` stays."""
    return zlib.crc32(name.encode()) % tasks


class Task:
    """``followers`` deliver through ``publisher``; trouble of one leaves the others running."""

    def __init__(self, number: int, followers: Sequence[Follower], publisher: Publisher) -> None:
        self.number = number
        self.followers = tuple(followers)
        self.publisher = publisher

    def stop(self) -> None:
        """Close every session on purpose."""
        for follower in self.followers:
            follower.stop()

    async def run(self) -> None:
        """Return once all are stopped and what they received is in Kafka."""
        async with anyio.create_task_group() as outer:
            outer.start_soon(self.publisher.run)
            async with anyio.create_task_group() as inner:
                for follower in self.followers:
                    inner.start_soon(follower.run)
            outer.cancel_scope.cancel()
