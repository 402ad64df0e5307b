"""How long it took until rows flowed again, for the summary of the run."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from tests.e2e.connector_process import PATIENCE, ConnectorProcess

ACKED = "connector_rows_acked_total"
SESSIONS = "connector_sessions_opened_total"

STEADY = 2.5
"""Seconds of a session after which its failure is the first in a row."""

_TOLD = "time to recovery: "


@asynccontextmanager
async def recovery(
    connector: ConnectorProcess,
    what: str,
    *,
    within: float = PATIENCE,
    subscription: str = "bsc",
    from_steady: bool = True,
) -> AsyncIterator[None]:
    """
    Do the trouble inside; leaving waits until a new session was opened since and brought rows to Kafka.
    Entering waits until the session has lived for a while, so that one trouble does not add to another;
    ``from_steady=False`` where there is no session.

    The seconds from the beginning to the first of those rows are printed, and not asserted.
    """
    if from_steady:
        await steady(connector, subscription)
    opened = await connector.metric(SESSIONS, subscription=subscription)
    started = time.monotonic()
    yield
    await connector.until_metric(
        SESSIONS, lambda found: found > opened, within=within, subscription=subscription
    )
    acked = await connector.metric(ACKED, subscription=subscription)
    await connector.until_metric(ACKED, lambda found: found > acked, within=within, subscription=subscription)
    noted(what, time.monotonic() - started)


async def steady(connector: ConnectorProcess, subscription: str = "bsc") -> None:
    """Wait until the subscription has been live for a while."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        _, body = await connector.readyz()
        found = body["subscriptions"][subscription]
        if found["state"] != "live" or time.time() - found["since"] < STEADY:
            await anyio.sleep(0.1)
        else:
            return


def noted(what: str, seconds: float) -> None:
    """Keep one time to recovery: what a test prints goes with its report to whoever writes the summary."""
    print(f"{_TOLD}{what}: {seconds:.1f} s")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell the times of all workers."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for line in getattr(report, "capstdout", "").splitlines():
                if line.startswith(_TOLD) and report.when == "call":
                    terminalreporter.write_line(line)
