"""No file of the product is too long to be read at once, and no constructor takes more than it should."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MOST_LINES = 300
MOST_PARAMETERS = 8


def wide_constructors(source: str) -> Iterator[str]:
    """
    Yield the classes of ``source`` whose constructor takes too much, and says nothing about it.

    A comment above ``def __init__``, or beside it, says why it does. Of dataclasses only those that change
    count: a frozen one is a record with names, however many.
    """
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ClassDef):
            continue
        for line, count in constructors(node):
            if count > MOST_PARAMETERS and not is_explained(lines, line):
                yield node.name


def constructors(node: ast.ClassDef) -> Iterator[tuple[int, int]]:
    """Yield the line of each constructor that ``node`` has, and how many parameters it takes."""
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    if any("dataclass" in text and "frozen=True" not in text for text in decorators):
        fields = [ast.unparse(part) for part in node.body if isinstance(part, ast.AnnAssign)]
        yield node.lineno, sum("ClassVar" not in field and "init=False" not in field for field in fields)
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            given = part.args
            yield part.lineno, len(given.posonlyargs) + len(given.args) + len(given.kwonlyargs) - 1


def is_explained(lines: list[str], line: int) -> bool:
    above = lines[line - 2].strip() if line > 1 else ""
    return above.startswith("#") or "  # " in lines[line - 1]


def sources() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "connector").rglob("*.py")):
        yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def test_files_are_short() -> None:
    long = {name for name, source in sources() if source.count("\n") > MOST_LINES}
    assert long == set()


def test_constructors_take_little_or_say_why() -> None:
    wide = {f"{name}: {found}" for name, source in sources() for found in wide_constructors(source)}
    assert wide == set()


NINE = ", ".join(f"p{number}: int" for number in range(9))
EIGHT = ", ".join(f"p{number}: int" for number in range(8))
FIELDS = "".join(f"    p{number}: int\n" for number in range(9))


@pytest.mark.parametrize(
    ("source", "is_wide"),
    [
        (f"class A:\n    def __init__(self, {EIGHT}) -> None: ...\n", False),
        (f"class A:\n    def __init__(self, {NINE}) -> None: ...\n", True),
        (f"class A:\n    def __init__(self, *, {NINE}) -> None: ...\n", True),
        (f"class A:\n    # because\n    def __init__(self, {NINE}) -> None: ...\n", False),
        (f"class A:\n    def __init__(  # because\n        self, {NINE}\n    ) -> None: ...\n", False),
        (f"class A:\n    def other(self, {NINE}) -> None: ...\n", False),
        (f"@dataclass(kw_only=True)\nclass A:\n{FIELDS}", True),
        (f"@dataclass\nclass A:\n{FIELDS}", True),
        (f"@dataclass\nclass A:  # because\n{FIELDS}", False),
        (f"@dataclass(frozen=True, kw_only=True)\nclass A:\n{FIELDS}", False),
        (f"@dataclass\nclass A:\n{FIELDS[:-13]}\n    p8: int = field(init=False)\n", False),
    ],
)
def test_a_wide_constructor_is_seen(source: str, is_wide: bool) -> None:
    assert list(wide_constructors(source)) == (["A"] if is_wide else [])
