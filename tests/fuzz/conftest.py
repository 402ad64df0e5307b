"""One event loop for all examples of a module: a thousand new ones would cost more than what is tried."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A thousand examples take minutes where the cores are shared."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    """Runs coroutines to their end, one after the other."""
    with asyncio.Runner() as runner:
        yield runner
