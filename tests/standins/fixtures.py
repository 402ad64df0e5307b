"""
The stand-ins and the reference servers as pytest fixtures.

Tests that use the reference servers carry the marker ``node`` by themselves; without Node they skip and say
so, and with CI=true they fail.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests.references.install import MissingNodeError, reference_directory
from tests.references.servers import ReferenceServer
from tests.standins.feed import Feed
from tests.standins.mock_kafka import MockKafka
from tests.standins.oauth import StandInOAuth
from tests.standins.proxy import FaultProxy
from tests.standins.tokens import TokenAuthority
from tests.standins.upstream import StandInUpstream

_NODE_FIXTURES = frozenset({"reference_packages", "modern_reference", "legacy_reference"})


class StartProxy(Protocol):
    """Put a proxy before a port of 127.0.0.1, until the test ends."""

    async def __call__(self, target_port: int) -> FaultProxy: ...


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs on Node, before ``-m`` selects."""
    for item in items:
        if _NODE_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.node)


@pytest.fixture
def authority() -> TokenAuthority:
    """Who may connect; tokens live an hour."""
    return TokenAuthority()


@pytest.fixture
async def oauth(authority: TokenAuthority, anyio_backend: str) -> AsyncIterator[StandInOAuth]:
    """A token endpoint with one client, whose id and secret hold awkward characters."""
    async with StandInOAuth(authority) as endpoint:
        yield endpoint


@pytest.fixture
async def upstream(authority: TokenAuthority, anyio_backend: str) -> AsyncIterator[StandInUpstream]:
    """An upstream with one feed, ``rows``, that emits only what ``upstream.feed.emit`` is told to."""
    async with StandInUpstream(authority, [Feed(rate=0.0)]) as server:
        yield server


@pytest.fixture
async def start_proxy(anyio_backend: str) -> AsyncIterator[StartProxy]:
    """Proxies on demand: ``proxy = await start_proxy(upstream.port)``."""
    async with AsyncExitStack() as stack:

        async def start(target_port: int) -> FaultProxy:
            return await stack.enter_async_context(FaultProxy(target_port))

        yield start


@pytest.fixture
def mock_kafka() -> Iterator[MockKafka]:
    """librdkafka's mock cluster of one broker; unknown topics appear with four partitions."""
    with MockKafka() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def reference_packages() -> Path:
    """Where the reference servers are installed."""
    try:
        return reference_directory()
    except MissingNodeError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"Node is missing, and in CI it must not be: {error}", pytrace=False)
        pytest.skip(f"Node is missing: {error}")


@pytest.fixture
async def modern_reference(reference_packages: Path, anyio_backend: str) -> AsyncIterator[ReferenceServer]:
    """npm graphql-ws at its defaults."""
    async with ReferenceServer(directory=reference_packages, kind="modern") as server:
        yield server


@pytest.fixture
async def legacy_reference(reference_packages: Path, anyio_backend: str) -> AsyncIterator[ReferenceServer]:
    """npm subscriptions-transport-ws at its defaults."""
    async with ReferenceServer(directory=reference_packages, kind="legacy") as server:
        yield server
