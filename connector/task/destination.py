"""Where a subscription's rows go, as far as it needs to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import anyio

from connector.publish import Submission
from connector.records.record import SourceRecord
from connector.task.state import State
from connector.task.status import StatusTracker


class Place(Protocol):
    """A topic, or what stands for one."""

    @property
    def ready(self) -> anyio.Event:
        """Set once rows may be added."""

    def explain(self) -> str:
        """Say why it is not ready yet."""


class Destination(Protocol):
    """What takes rows: `connector.publish.Publisher`, or whatever shows them otherwise."""

    @property
    def answered(self) -> anyio.Event:
        """Set for good once it is there; no session is opened before."""

    @property
    def error(self) -> str | None:
        """What keeps it from being there; ``None`` where nothing does, or nothing is known."""

    def topic(self, name: str, *, awaited: bool = False) -> Place:
        """Return topic ``name``, which is looked for from now on; ``awaited``: a socket waits for it."""

    def add(self, rows: Mapping[str, Sequence[SourceRecord]], submission: Submission, now_ms: int) -> int:
        """
        Take the rows of one frame, by topic; never waits. ``submission`` is told what becomes of each.

        Return how many event times were replaced.
        """


async def until_ready(destination: Destination, topics: Sequence[str], status: StatusTracker) -> None:
    """
    Return once rows of ``topics`` may be added; ``status`` tells meanwhile what is waited for.

    Streams are billed, so none is opened before there is somewhere to put its rows.
    """
    try:
        if not destination.answered.is_set():
            status.enter(State.WAITING)
            status.explain = lambda: destination.error or "kafka has not answered yet"
            await destination.answered.wait()
        # All are looked for at the same time.
        for topic in [destination.topic(name, awaited=True) for name in topics]:
            if not topic.ready.is_set():
                status.enter(State.WAITING)
                status.explain = topic.explain
                await topic.ready.wait()
    finally:
        status.explain = None
