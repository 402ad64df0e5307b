"""Waiting for what another process does."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

Answer = TypeVar("Answer")


async def eventually(
    ask: Callable[[], Awaitable[Answer]], *, deadline: float = 90.0, interval: float = 0.02
) -> Answer:
    """
    Ask again and again until the answer is true, and return it. Times are in seconds.

    Raises:
        TimeoutError: `deadline` passed first.
    """
    with anyio.fail_after(deadline):
        while not (answer := await ask()):  # noqa: ASYNC110  (brokers set no event of ours)
            await anyio.sleep(interval)
    return answer
