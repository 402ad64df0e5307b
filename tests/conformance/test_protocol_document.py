"""``PROTOCOL.md`` names code and tests that exist, and no clause without a test."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "connector" / "subscription" / "PROTOCOL.md"
FLOORS = (ROOT / "tests" / "unit" / "subscription", ROOT / "tests" / "conformance")
NOTHING = "\N{EN DASH}"


def rows() -> Iterator[list[str]]:
    """Yield the cells of each clause."""
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and not line.startswith("| clause "):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


CLAUSES = list(rows())


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("cells", CLAUSES, ids=[cells[0][:40] for cells in CLAUSES])
def test_every_clause_names_code_and_tests_that_exist(cells: list[str]) -> None:
    clause, where, *tests = cells
    assert len(tests) == 2, clause
    for name in names(where):
        parts = name.split(".")
        module = parts.pop(0) if parts[0].islower() else "protocol"
        found: object = importlib.import_module(f"connector.subscription.{module}")
        for part in parts:
            found = getattr(found, part)
    for floor, cell in zip(FLOORS, tests, strict=True):
        assert names(cell) or cell == NOTHING, clause
        for name in names(cell):
            file, _, test = name.partition("::")
            text = (floor / file).read_text(encoding="utf-8")
            assert re.search(rf"^(async )?def {test}\(", text, re.MULTILINE), f"there is no {name}"
    if where != NOTHING:  # else it is something that is left out on purpose
        assert any(cell != NOTHING for cell in tests), clause


def test_every_test_of_our_client_against_the_reference_servers_is_named() -> None:
    named = {name for cells in CLAUSES for name in names(cells[3])}
    for file in (ROOT / "tests" / "conformance").glob("test_client_*.py"):
        tests = re.findall(r"^async def (test_\w+)\(", file.read_text(encoding="utf-8"), re.MULTILINE)
        assert tests
        assert {f"{file.name}::{test}" for test in tests} <= named
