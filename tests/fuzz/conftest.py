"""One event loop for all examples of a module: a thousand new ones would cost more than what is tried."""

import asyncio
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    """Runs coroutines to their end, one after the other."""
    with asyncio.Runner() as runner:
        yield runner
