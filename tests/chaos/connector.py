"""The connector and those that take its place: every process of one run, and when each ended."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio

from tests.brokers import reaper
from tests.e2e.connector_process import ConnectorProcess

UNACKNOWLEDGED = 1.0
"""Seconds before a kill whose rows may not be acknowledged, with a Kafka that has nothing to catch up."""
ON_ITS_WAY = 128 << 10
"""Bytes."""
START_WITHIN, END_WITHIN = 120.0, 150.0
LOOK = 0.2


@dataclass(kw_only=True)
class Life:
    """
    One process. ``gone_at`` is the moment (unix seconds) from which on nothing is promised of it, ``None`` as
    long as it lives. ``how``: ``SIGTERM``, ``SIGKILL``, or ``by itself``, which it never should.
    """

    process: ConnectorProcess
    gone_at: float | None = None
    how: str = ""
    exit_code: int | None = None


class RestartedConnector:
    """
    What an orchestrator does: there is one process, and when it has ended there is another.

    ``start`` makes a process. Use it as an async context manager: whatever still runs at the end is killed.
    """

    def __init__(self, start: Callable[[], ConnectorProcess]) -> None:
        self._start = start
        self.lives: list[Life] = []

    async def __aenter__(self) -> RestartedConnector:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for life in self.lives:
            if life.process.process.poll() is None:
                life.process.process.kill()
            life.process.process.wait(30)

    @property
    def current(self) -> Life:
        """The process that runs, or ran last."""
        return self.lives[-1]

    def start(self) -> None:
        """Begin the next life."""
        self.lives.append(Life(process=self._start()))
        reaper.watch(self.current.process.process.pid)

    async def end(self, number: signal.Signals) -> None:
        """Send the signal, and return once the process has ended."""
        life = self.current
        unsure = UNACKNOWLEDGED if number is signal.SIGKILL else 0.0
        life.gone_at, life.how = time.time() - unsure, number.name
        life.exit_code = await life.process.stop(number, within=END_WITHIN)
        reaper.forget(life.process.process.pid)

    async def revive(self) -> None:
        """Start another one whenever the process has ended by itself, until cancelled."""
        while True:
            await anyio.sleep(LOOK)
            life = self.current
            if life.gone_at is None and (code := life.process.process.poll()) is not None:
                life.gone_at, life.how, life.exit_code = time.time() - LOOK, "by itself", code
                reaper.forget(life.process.process.pid)
                self.start()

    async def is_calm(self, subscriptions: Sequence[str]) -> bool:
        """Whether it says that all of them are live, and holds no more than is always on its way to Kafka."""
        process = self.current.process
        if process.process.poll() is not None or not process.logs("api listening"):
            return False
        try:
            _, body = await process.readyz()
            held = await process.metric("connector_inbox_bytes")
        except (AssertionError, OSError):  # it ended meanwhile
            return False
        found = body.get("subscriptions", {})
        return held < ON_ITS_WAY and all(found.get(name, {}).get("state") == "live" for name in subscriptions)

    def lines(self) -> Iterator[Mapping[str, Any]]:
        """What all of them logged."""
        for life in self.lives:
            yield from life.process.logs()
