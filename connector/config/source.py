"""YAML text → a tree of plain values, with the line of every key."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import yaml

from connector.config.files import MAX_BYTES, Files
from connector.config.syntax import compose
from connector.errors import ConfigError, Problem

KeyPath: TypeAlias = tuple[str | int, ...]


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
        from connector.config.redacted import visible

        where = self.where(path)
        problem = Problem(where=where, path=shown(visible(path)), message=message, remedy=remedy)
        if problem not in self.problems:
            self.problems.append(problem)


def shown(path: KeyPath) -> str | None:
    """A key path as a user writes it: ``subscriptions[0].rows``; ``None`` for the whole file."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else part)
    return text or None


def read_text(path: Path, *, what: str, files: Files) -> str:
    """
    The text of a file in UTF-8; ``files`` remembers it.

    Raises:
        ConfigError: It is not there, cannot be read, is too large or is not UTF-8.
    """
    name = str(path)
    try:
        raw = files.read(path)
    except FileNotFoundError:
        raise _refuse(name, f"{what} is not there", "check the path") from None
    except IsADirectoryError:
        raise _refuse(name, "is a directory", f"name {what} in it") from None
    except PermissionError:
        raise _refuse(name, f"{what} may not be read", "give this user the right to read it") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the name is not a path"
        raise _refuse(name, f"{what} cannot be read: {reason}", "check the path") from None
    if len(raw) > MAX_BYTES:
        raise _refuse(name, f"{what} is larger than {MAX_BYTES} bytes", "check that it is the right file")
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _refuse(f"{name}:{line}", f"{what} is not in UTF-8", "save it in UTF-8") from None


def read_source(path: Path, files: Files) -> Source:
    """
    Read and parse a configuration. Mistakes that leave the rest readable are in ``problems``.

    ``files`` remembers what was read, also where this raises.

    Raises:
        ConfigError: There is no file, no YAML or no mapping.
    """
    from connector.config.nodes import Builder

    name = str(path)
    text = read_text(path, what="the configuration", files=files)
    source = Source(name=name, directory=path.parent, files=files)
    node = compose(name, text)
    if node is None:
        raise _refuse(name, "the configuration is empty", "begin with name:, endpoint: and subscriptions:")
    if not isinstance(node, yaml.MappingNode):
        raise _refuse(f"{name}:{node.start_mark.line + 1}", "is not a mapping", "write key: value lines")
    tree = Builder(source, text).build(node, ())
    assert isinstance(tree, dict)
    source.tree = tree
    return source


def _refuse(where: str, message: str, remedy: str) -> ConfigError:
    return ConfigError([Problem(where=where, path=None, message=message, remedy=remedy)])
