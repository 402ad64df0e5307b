"""Reference servers that do what a test asks of them, as pytest fixtures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.references.servers import Kind, ReferenceServer


class StartReference(Protocol):
    """Start a reference server with options (see ``options.js``), until the test ends."""

    async def __call__(self, kind: Kind, **options: Any) -> ReferenceServer: ...


@pytest.fixture
async def start_reference(reference_packages: Path, anyio_backend: str) -> AsyncIterator[StartReference]:
    """Reference servers on demand: ``server = await start_reference("modern", keepAlive=50)``."""
    async with AsyncExitStack() as stack:

        async def start(kind: Kind, **options: Any) -> ReferenceServer:
            server = ReferenceServer(directory=reference_packages, kind=kind, options=options)
            return await stack.enter_async_context(server)

        yield start
