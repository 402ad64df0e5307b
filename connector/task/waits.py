"""Waits that end early."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

import anyio

T = TypeVar("T")


async def unless_set(event: anyio.Event, wait: Coroutine[Any, Any, T]) -> T | None:
    """Return what ``wait`` gives; ``None`` where ``event`` is set first, and then ``wait`` is cancelled."""
    if event.is_set():
        wait.close()
        return None
    result: T | None = None
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(_cancel_when_set, event, scope)
            result = await wait
            group.cancel_scope.cancel()
    return result


async def _cancel_when_set(event: anyio.Event, scope: anyio.CancelScope) -> None:
    await event.wait()
    scope.cancel()
