"""What every test shares."""

import os

import pytest
from hypothesis import settings

pytest_plugins = [
    "tests.brokers.fixtures",
    "tests.e2e.recoveries",
    "tests.nginx.fixtures",
    "tests.references.fixtures",
    "tests.spread",
    "tests.standins.fixtures",
]

# A machine that others work on, too, is now and then slow; and what CI finds must be found again.
settings.register_profile("developer", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "developer")


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio alone, as production does."""
    return "asyncio"
