"""What these tests share."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.publish.clock import TickingLoop


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Callable[[], Any]]]:
    """Time that jumps: no test waits for a backoff."""
    return "asyncio", {"loop_factory": TickingLoop}
