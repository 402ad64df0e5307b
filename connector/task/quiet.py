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

NO_SESSION = (State.WAITING, State.SHEDDING, State.FAILED, State.STOPPED)
"""Where nothing is expected. One that is reopened on purpose goes on being silent."""


async def watch_data(
    name: str, limit: float | None, tracker: StatusTracker, observer: SessionObserver
) -> None:
    """Raise and clear the alarm until cancelled; a ``limit`` of ``None`` seconds means never."""
    alarmed = False
    since: float | None = None
    while limit is not None:
        await anyio.sleep(min(limit, LOOK))
        status = tracker.status
        if status.state in NO_SESSION:
            since = None
        elif status.state is State.LIVE and since is None:
            since = status.since
        quiet = 0.0 if since is None else tracker.now() - max(since, status.last_row_at or 0.0)
        silent = quiet >= limit
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
