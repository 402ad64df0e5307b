"""Cases that only ``make test-all`` runs."""

from collections.abc import Sequence
from typing import Any

import pytest


def first_of(cases: Sequence[Any]) -> list[Any]:
    """The cases for ``parametrize``; all but the first, which stands for them, are ``slow``."""
    return [cases[0], *(_slow(case) for case in cases[1:])]


def _slow(case: Any) -> Any:
    return pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.slow)
