"""A file as it was read: its values, the line of every key, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from connector.config.files import Files
from connector.config.paths import KeyPath, shown, visible
from connector.errors import Problem


@dataclass(frozen=True, slots=True)
class Mark:
    """
    Where a key stands: ``line`` and ``column`` count from 1.

    ``text`` is how its value was written, ``None`` where that is not a plain scalar; ``text_line`` and
    ``text_column`` are where the text of a string begins, ``None`` where its lines were folded.
    """

    line: int
    column: int
    text: str | None = None
    text_line: int | None = None
    text_column: int = 1


@dataclass(slots=True)
class Source:
    """
    A file as it was read.

    ``tree`` holds what was in it, ``marks`` where, ``problems`` what was wrong; ``files`` knows it, and the
    others that it names.
    """

    name: str
    directory: Path
    tree: dict[str, object] = field(default_factory=dict)
    marks: dict[KeyPath, Mark] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    files: Files = field(default_factory=Files)

    def where(self, path: KeyPath) -> str:
        """``file:line`` of the key, or of the nearest key above it."""
        for length in range(len(path), 0, -1):
            mark = self.marks.get(path[:length])
            if mark is not None:
                return f"{self.name}:{mark.line}"
        return self.name

    def written(self, path: KeyPath) -> KeyPath:
        """``path`` as it is in the file: where a single value stands for a list of one it has no index."""
        is_single = path and path[-1] == 0 and path not in self.marks and path[:-1] in self.marks
        return path[:-1] if is_single else path

    def has_problem(self, path: KeyPath) -> bool:
        return any(problem.path == shown(path) for problem in self.problems)

    def report(self, path: KeyPath, message: str, remedy: str) -> None:
        where = self.where(path)
        problem = Problem(where=where, path=shown(visible(path)), message=message, remedy=remedy)
        if problem not in self.problems:
            self.problems.append(problem)
