"""Reference servers that do what a test asks of them, as pytest fixtures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.references.oauth import AuthorizationServer, Client
from tests.references.servers import Kind, NodeProcess, ReferenceServer


class StartReference(Protocol):
    """Start a reference server with options (see ``options.js``), until the test ends."""

    async def __call__(self, kind: Kind, **options: Any) -> ReferenceServer: ...


class StartOidc(Protocol):
    """Start an authorization server with these clients, whose tokens live ``life`` seconds."""

    async def __call__(self, *clients: Client, life: float = 3600) -> AuthorizationServer: ...


@pytest.fixture
async def start_reference(reference_packages: Path, anyio_backend: str) -> AsyncIterator[StartReference]:
    """Reference servers on demand: ``server = await start_reference("modern", keepAlive=50)``."""
    async with AsyncExitStack() as stack:

        async def start(kind: Kind, **options: Any) -> ReferenceServer:
            server = ReferenceServer(directory=reference_packages, kind=kind, options=options)
            return await stack.enter_async_context(server)

        yield start


@pytest.fixture
async def start_oidc(reference_packages: Path, anyio_backend: str) -> AsyncIterator[StartOidc]:
    """npm oidc-provider on demand: ``oidc = await start_oidc(Client(), life=4)``."""
    async with AsyncExitStack() as stack:

        async def start(*clients: Client, life: float = 3600) -> AuthorizationServer:
            server = AuthorizationServer(directory=reference_packages, clients=clients, life=life)
            return await stack.enter_async_context(server)

        yield start


@pytest.fixture
async def misbehaving(reference_packages: Path, anyio_backend: str) -> AsyncIterator[NodeProcess]:
    """npm oauth2-mock-server; ``await misbehaving.order("answer", status=503)``."""
    async with NodeProcess(directory=reference_packages, kind="misbehaving") as server:
        yield server
