"""What is left behind: tasks, and what the event loop complains of."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio
from anyio.lowlevel import checkpoint

from connector.telemetry import install_loop_handler

DEADLINE = 5.0
"""Seconds for what was cancelled to end."""


@asynccontextmanager
async def nothing_left_behind() -> AsyncIterator[None]:
    """
    Hold that no task made inside outlives it, and that the event loop complains of nothing.

    Nothing means: nothing above DEBUG, with the program's own handler.
    """
    install_loop_handler(asyncio.get_running_loop())
    before = asyncio.all_tasks()
    with _complaints() as complaints:
        yield
        with anyio.move_on_after(DEADLINE):
            while asyncio.all_tasks() - before:  # noqa: ASYNC110 - tasks set no event of ours
                await anyio.sleep(0.01)
        left = asyncio.all_tasks() - before
        assert not left, f"left behind: {left}"
        gc.collect()  # futures complain when they go
        await checkpoint()
    assert complaints == []


@contextmanager
def _complaints() -> Iterator[list[str]]:
    said: list[str] = []

    class Recorder(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage().startswith("event loop:"):
                said.append(f"{record.getMessage()}: {record.exc_info and record.exc_info[1]!r}")

    recorder = Recorder(logging.INFO)
    logger = logging.getLogger("connector")
    logger.addHandler(recorder)
    try:
        yield said
    finally:
        logger.removeHandler(recorder)
