"""YAML text → nodes, within bounds; what is wrong with it is said without quoting it."""

from __future__ import annotations

import re

import yaml

from connector.config.yaml_remedies import remedy_for
from connector.errors import ConfigError, Problem

MAX_DEPTH = 40
"""How deep keys may be nested."""
MAX_VALUES = 50_000
"""More keys and values than this are refused, and so are more values once aliases are followed."""

_SAID = {
    "found undefined alias": (
        "an alias (*…) stands for nothing",
        "define it with & before, or quote the value",
    ),
    "found undefined tag handle": ("a tag (!…) is not known", "take it out, or quote the value"),
    "second occurrence": ("an anchor (&…) is defined twice", "rename one of them"),
}
"""What the parser says, by its first words → what we say and what to do."""

_QUOTED = re.compile(r"'([^']*)'")
_HARMLESS = re.compile(r"<[a-z ]+>|\\t|[^0-9A-Za-z\\]")
"""What may be quoted: the parser's own words, a tab, one sign. Anything else might be of a secret."""


class _Loader(yaml.SafeLoader):
    """Stops at what is too deep or too much, before it costs stack or time."""

    count = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.count += 1
        if self.count > MAX_VALUES:
            raise _TooMuch(problem_mark=self.get_mark())
        return super().compose_node(parent, index)

    def fetch_flow_collection_start(self, TokenClass: type[yaml.Token]) -> None:  # noqa: N803 - PyYAML's name
        self._bound(self.flow_level + 1)
        super().fetch_flow_collection_start(TokenClass)

    def add_indent(self, column: int) -> bool:
        is_deeper = super().add_indent(column)
        self._bound(len(self.indents))
        return bool(is_deeper)

    def _bound(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise _TooDeep(problem_mark=self.get_mark())


class _TooDeep(yaml.MarkedYAMLError):
    """The text is nested more deeply than `MAX_DEPTH`."""


class _TooMuch(yaml.MarkedYAMLError):
    """There are more nodes than `MAX_VALUES`."""


def compose(name: str, text: str) -> yaml.Node | None:
    """
    The root node of ``text``, ``None`` where there is nothing in it.

    Raises:
        ConfigError: It is no YAML, nested too deeply, or too much.
    """
    try:
        return yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        message, remedy = _say(text, error)
        problem = Problem(where=_place(name, text, error), path=None, message=message, remedy=remedy)
    raise ConfigError([problem])


def _say(text: str, error: yaml.YAMLError) -> tuple[str, str]:
    if isinstance(error, _TooDeep):
        return "is nested too deeply", f"nest at most {MAX_DEPTH} levels"
    if isinstance(error, _TooMuch):
        return f"has more than {MAX_VALUES} keys and values", "make it smaller"
    said = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "it is not YAML")
    for beginning, (message, remedy) in _SAID.items():
        if said.startswith(beginning):
            return f"does not parse: {message}", remedy
    shown = _QUOTED.sub(lambda match: match[0] if _HARMLESS.fullmatch(match[1]) else "…", said)
    return f"does not parse: {shown}", remedy_for(text, error, _Loader)


def _place(name: str, text: str, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return f"{name}:{mark.line + 1}:{mark.column + 1}"
    position = getattr(error, "position", None)  # of a character that YAML does not allow
    if isinstance(position, int):
        before = text[:position]
        return f"{name}:{before.count(chr(10)) + 1}:{position - before.rfind(chr(10))}"
    return name
