"""An authority of the tests' own, with a client's certificate on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.standins.certificates import Authority, ClientFiles


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def files(authority: Authority, tmp_path: Path) -> ClientFiles:
    return authority.client(tmp_path)
