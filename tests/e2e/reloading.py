"""What tests of a changing configuration ask of stage and connector."""

from __future__ import annotations

from typing import Any

from tests.e2e.connector_process import ConnectorProcess, at_least
from tests.e2e.stage import Stage
from tests.standins.feed import Feed
from tests.standins.session import Session

ACKED = "connector_rows_acked_total"
ALARM = "connector_config_reload_failed"
RELOADS = "connector_config_reloads_total"
NEVER = 4.0
"""Seconds in which a change that must not be applied would have been: several looks."""


def feeds(stage: Stage, *names: str) -> list[Feed]:
    return [stage.upstream.feeds[name] for name in names]


def sessions(stage: Stage, name: str) -> list[Session]:
    """Every connection that subscribed to a feed, oldest first."""
    return [session for session in stage.upstream.sessions if session.feed and session.feed.name == name]


async def flowing(connector: ConnectorProcess, *names: str) -> None:
    """Return once rows of each are acknowledged that came from now on."""
    for name in names:
        before = await connector.metric(ACKED, subscription=name)
        await connector.until_metric(ACKED, at_least(before + 100), subscription=name)


async def reloaded(connector: ConnectorProcess, times: int = 1) -> dict[str, Any]:
    """Return what was told of the last of so many applied changes."""
    await connector.until(
        lambda: len(connector.logs("configuration reloaded")) >= times, what=f"reload number {times}"
    )
    assert len(connector.logs("configuration reloaded")) == times
    changed: dict[str, Any] = connector.logs("configuration reloaded")[-1]["changed"]
    return changed


async def rejected(connector: ConnectorProcess) -> dict[str, Any]:
    """Return what ``/readyz`` says once the alarm is raised."""
    await connector.until_metric(ALARM, lambda alarm: alarm == 1)
    status, body = await connector.readyz()
    assert (status, body["config"]["state"]) == (200, "rejected")
    found: dict[str, Any] = body["config"]
    return found
