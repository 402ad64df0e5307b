"""The stage of the end-to-end tests."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.brokers.cluster import KafkaCluster
from tests.e2e.stage import Stage, open_stage
from tests.standins.feed import Feed

OpenStage = Callable[..., AbstractAsyncContextManager[Stage]]


@pytest.fixture
async def stage(kafka: KafkaCluster, tmp_path: Path, topic_name: Callable[[], str]) -> AsyncIterator[Stage]:
    """A stage with one feed, ``bsc``, of 500 rows a second, and tokens of an hour."""
    async with AsyncExitStack() as stack:
        feed = Feed("bsc", rate=500)
        yield await stack.enter_async_context(open_stage(kafka, tmp_path, topic_name(), feed))


@pytest.fixture
def open_with(kafka: KafkaCluster, tmp_path: Path, topic_name: Callable[[], str]) -> OpenStage:
    """A stage with feeds of these names, each of 200 rows a second."""

    @asynccontextmanager
    async def _open(*names: str, rate: float = 200) -> AsyncIterator[Stage]:
        feeds = [Feed(name, rate=rate) for name in names]
        async with open_stage(kafka, tmp_path, topic_name(), *feeds) as stage:
            yield stage

    return _open
