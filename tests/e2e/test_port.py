"""Port 8083 under a thousand callers that say nothing: rows flow, and sessions are opened, all the same."""

from __future__ import annotations

import contextlib
import resource
import socket
from collections.abc import Iterator

import anyio.to_thread
import pytest

from tests.e2e.conftest import OpenStage
from tests.e2e.connector_process import ConnectorProcess, at_least
from tests.e2e.reloading import ALARM, flowing, reloaded

CALLERS = 1_000
SESSIONS = "connector_sessions_opened_total"
FEW_DESCRIPTORS = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))"


@contextlib.contextmanager
def many_descriptors() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def port_of(connector: ConnectorProcess) -> int:
    await connector.until(lambda: connector.logs("api listening"), what="the API's port")
    return int(connector.logs("api listening")[0]["port"])


def hold(port: int, stack: contextlib.ExitStack) -> None:
    for number in range(CALLERS):
        caller = stack.enter_context(socket.create_connection(("127.0.0.1", port), 60))
        if number % 2:
            with contextlib.suppress(OSError):  # it may be closed for those that came after it
                caller.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n")


@pytest.mark.timeout(600)
async def test_a_thousand_callers_that_say_nothing_keep_nothing_from_the_rows(open_with: OpenStage) -> None:
    async with open_with("one", rate=200) as stage:
        feed = stage.upstream.feeds["one"]
        config = stage.config()
        async with stage.start(config, prelude=FEW_DESCRIPTORS) as connector:
            port = await port_of(connector)
            with many_descriptors(), contextlib.ExitStack() as stack:
                await anyio.to_thread.run_sync(hold, port, stack)
                await flowing(connector, "one")
                section = {**config["subscriptions"][0], "headers": {"block": "Block.Number"}}
                connector.configure({**config, "subscriptions": [section]})
                await reloaded(connector)
                # It is opened anew, with a descriptor that is free.
                await connector.until_metric(SESSIONS, at_least(2), subscription="one")
                await flowing(connector, "one")
                assert await connector.metric(ALARM) == 0
            assert not [line for line in connector.text.splitlines() if "too many open files" in line.lower()]
            assert await connector.stop() == 0
        audit = await stage.audit(feed)
        assert not audit.missing
