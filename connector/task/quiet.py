"""The alarm of a session that lives and brings no data."""

from __future__ import annotations

import anyio
import structlog

from connector.task.observers import SessionObserver
from connector.task.state import State
from connector.task.status import StatusTracker

log = structlog.get_logger(__name__)

LOOK = 10.0
"""Seconds between two looks, at most."""


async def watch_data(
    name: str, limit: float | None, tracker: StatusTracker, observer: SessionObserver
) -> None:
    """Raise and clear the alarm until cancelled; a ``limit`` of ``None`` seconds means never."""
    alarmed = False
    while limit is not None:
        await anyio.sleep(min(limit, LOOK))
        status = tracker.status
        quiet = tracker.now() - max(status.since, status.last_row_at or 0.0)
        silent = status.state is State.LIVE and quiet >= limit
        if silent is not alarmed:
            alarmed = silent
            observer.no_data(alarmed)
            if alarmed:
                log.warning(
                    "no data although the session is alive",
                    subscription=name,
                    seconds=round(quiet),
                    causes="the plan's cap of streams; a query-only cube; a filter that matches nothing",
                )
