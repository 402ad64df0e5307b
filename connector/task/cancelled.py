"""
Whether a cancellation was asked for.

A library has deadlines of its own, and gives a task up by the same exception as whoever stops it. Where such
a deadline is met at the same moment as another one, asyncio folds the two into one exception, which neither
takes for its own: it would end the task for good, without a word.
"""

from __future__ import annotations

import asyncio
import math

import anyio


def was_cancelled() -> bool:
    """Return whether somebody cancels the current task: a scope that it is in, or `asyncio.Task.cancel`."""
    task = asyncio.current_task()
    is_native = task is not None and task.cancelling() > 0
    return is_native or anyio.current_effective_deadline() == -math.inf
