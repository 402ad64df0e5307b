"""What these tests share."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.publish.clock import JumpingLoop
from tests.unit.publish.fakes import FakeBrokers


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Callable[[], Any]]]:
    """Time that jumps: no test waits for a backoff."""
    return "asyncio", {"loop_factory": JumpingLoop}


@pytest.fixture
def brokers() -> FakeBrokers:
    """Brokers with one topic, ``t``, of one partition."""
    brokers = FakeBrokers()
    brokers.create("t")
    return brokers
