"""A line a minute for people on a terminal; machines have the metrics, and a log that is quiet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Never

import anyio
import structlog

from connector.telemetry.logs import people_read
from connector.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)

EVERY = 60.0
"""Seconds between two lines."""


class Summary:
    """
    Tells how many rows went through since the last line; says nothing while none do.

    ``is_wanted`` is asked each time, for the log's format may change; ``sleep`` waits for seconds.
    """

    def __init__(
        self,
        metrics: Metrics,
        *,
        is_wanted: Callable[[], bool] = people_read,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._metrics = metrics
        self._is_wanted = is_wanted
        self._sleep = sleep
        self._received, self._acknowledged = metrics.rows()

    async def run(self) -> Never:
        """Tell again and again."""
        while True:
            await self._sleep(EVERY)
            if self._is_wanted():
                self.tell()

    def tell(self) -> None:
        """Write the line, if there is news."""
        received, acknowledged = self._metrics.rows()
        came, through = received - self._received, acknowledged - self._acknowledged
        self._received, self._acknowledged = received, acknowledged
        # Those of a subscription that is no more are counted no more.
        if max(came, through) <= 0:
            return
        log.info(
            "rows flow",
            received=max(came, 0),
            in_kafka=max(through, 0),
            per_second=round(max(through, 0) / EVERY, 1),
            in_kafka_since_the_start=acknowledged,
        )
