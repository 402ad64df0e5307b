"""What every test shares."""

import pytest

pytest_plugins = [
    "tests.brokers.fixtures",
    "tests.nginx.fixtures",
    "tests.references.fixtures",
    "tests.standins.fixtures",
]


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio alone, as production does."""
    return "asyncio"
