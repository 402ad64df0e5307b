"""nginx as a pytest fixture."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests.nginx.install import MissingNginxError, nginx_program
from tests.nginx.server import Nginx


class StartNginx(Protocol):
    """Start an nginx with these directives, until the test ends."""

    async def __call__(
        self, *location: str, certificate: Path | None = None, key: Path | None = None
    ) -> Nginx: ...


@pytest.fixture(scope="session")
def nginx_path() -> str:
    """The program."""
    try:
        return nginx_program()
    except MissingNginxError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"nginx is missing, and in CI it must not be: {error}", pytrace=False)
        pytest.skip(f"nginx is missing: {error}")


@pytest.fixture
async def start_nginx(nginx_path: str, tmp_path: Path, anyio_backend: str) -> AsyncIterator[StartNginx]:
    """nginx on demand: ``nginx = await start_nginx(*passing_to(server.port))``."""
    async with AsyncExitStack() as stack:
        started = 0

        async def start(*location: str, certificate: Path | None = None, key: Path | None = None) -> Nginx:
            nonlocal started
            started += 1
            prefix = tmp_path / f"nginx{started}"
            nginx = Nginx(
                program=nginx_path, prefix=prefix, location=location, certificate=certificate, key=key
            )
            return await stack.enter_async_context(nginx)

        yield start
