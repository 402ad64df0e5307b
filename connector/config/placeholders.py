"""
``${env:NAME}`` and ``${file:/path}`` in values; ``$${`` stands for ``${`` itself.

A trailing line break is not part of the value, be it of a file or of a variable made from one.
Keys are taken as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from connector.config.files import read_text
from connector.config.mistake import Mistake
from connector.config.paths import KeyPath
from connector.config.source import Source
from connector.config.unresolved import Unresolved
from connector.errors import ConfigError

_PLACEHOLDER = re.compile(r"\$\$\{|\$\{(?:(env):([A-Za-z_][A-Za-z0-9_]*)|(file):([^{}]+))\}|\$\{")

_NAMES_OF_SUBSCRIPTIONS = ("name", "operation", "rows", "topic", "key", "timestamp", "headers", "identity")


@dataclass(frozen=True, kw_only=True, slots=True)
class Filled:
    """One placeholder's value and the key that it was put into."""

    path: KeyPath
    kind: Literal["env", "file"]
    value: str

    def __repr__(self) -> str:
        return f"Filled(path={self.path!r}, kind={self.kind!r})"


class Filler:
    """
    Fills the placeholders of one file.

    With ``resolve=False`` nothing is looked up: values with placeholders become `Unresolved`.
    """

    def __init__(self, source: Source, env: Mapping[str, str], *, resolve: bool) -> None:
        self._source = source
        self._env = env
        self._resolve = resolve
        self.filled: list[Filled] = []
        self.from_files: set[KeyPath] = set()
        """The keys that hold a ``${file:…}``, whether it was looked up or not."""

    def fill(self, value: object, path: KeyPath = ()) -> object:
        """``value`` with the placeholders of all strings in it filled; what cannot be is reported."""
        if isinstance(value, dict):
            return {key: self.fill(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item, (*path, index)) for index, item in enumerate(value)]
        if isinstance(value, str) and "${" in value:
            return self._fill_text(value, path)
        return value

    def _fill_text(self, text: str, path: KeyPath) -> str | Unresolved:
        unknown = False

        def look_up(match: re.Match[str]) -> str:
            nonlocal unknown
            if match[0] == "$${":
                return "${"
            try:
                found = self._one(match, path)
            except Mistake as mistake:
                self._source.report(path, mistake.message, mistake.remedy)
                found = None
            unknown = unknown or found is None
            return match[0] if found is None else found

        result = _PLACEHOLDER.sub(look_up, text)
        return Unresolved(result) if unknown else result

    def _one(self, match: re.Match[str], path: KeyPath) -> str | None:
        if match[0] == "${":
            raise Mistake(
                "holds a ${ that is no placeholder", "write ${env:NAME}, ${file:/path}, or $${ for ${"
            )
        if match[3]:
            if _is_shown_everywhere(path):
                raise Mistake(
                    "comes from a file, whose text is never shown, but is itself shown in logs and metrics",
                    "write it here, or take ${env:NAME}",
                )
            self.from_files.add(path)
        if not self._resolve:
            return None
        kind: Literal["env", "file"] = "env" if match[1] else "file"
        value = self._env_value(match[2]) if kind == "env" else self._file_value(match[4])
        self.filled.append(Filled(path=path, kind=kind, value=value))
        return value

    def _env_value(self, name: str) -> str:
        value = self._env.get(name)
        if value is None:
            raise Mistake(f"the environment variable {name} is not set", f"set {name}")
        value = value.rstrip("\r\n")
        if not value:
            raise Mistake(f"the environment variable {name} is empty", f"give {name} a value")
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise Mistake(f"the environment variable {name} is not UTF-8", f"set {name} to text")
        return value

    def _file_value(self, name: str) -> str:
        try:
            text = read_text(self._source.directory / name, what="the file", files=self._source.files)
        except ConfigError as error:
            problem = error.problems[0]
            raise Mistake(
                f"the file {name}: {problem.message.removeprefix('the file ')}", problem.remedy
            ) from None
        text = text.rstrip("\r\n")
        if not text:
            raise Mistake(f"the file {name} is empty", "write the value into it")
        return text


def _is_shown_everywhere(path: KeyPath) -> bool:
    """Whether the key's value is a name: hidden as ``***`` it would be of no use, and like any other."""
    if path[0] == "subscriptions":
        return path[2] in _NAMES_OF_SUBSCRIPTIONS if len(path) > 2 else False
    return path in (("name",), ("errors", "dead_letter_topic"), ("events_topic",))
