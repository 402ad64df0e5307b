"""
YAML nodes → plain values.

The meaning is that of PyYAML's safe loader (YAML 1.1), but for dates, which stay the text that they are.
Keys are always text, as written: ``on:`` is the key ``on``.
"""

from __future__ import annotations

import re

import yaml
from yaml.constructor import SafeConstructor

from connector.config.paths import KeyPath
from connector.config.source import Mark, Source
from connector.config.syntax import MAX_DEPTH, MAX_VALUES
from connector.config.unresolved import Unresolved
from connector.errors import ConfigError, Problem

_TAG = "tag:yaml.org,2002:"
_KEY_KINDS = ("null", "bool", "int", "float", "str", "timestamp", "value", "merge")
_TOPICS = ("topic", "dead_letter_topic", "events_topic")
_TEXTS = (*_TOPICS, "name", "document", "operation", "rows", "timestamp", "url")
"""Keys whose values are texts wherever they stand, but in what is the user's own."""
_OWN = ("variables", "init_payload", "headers", "config")
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*|(0|[1-9][0-9]*)?\.[0-9]*)(e[-+]?[0-9]+)?|[-+]?\.(inf|nan)", re.I)
_SURROGATE = re.compile("[\ud800-\udfff]")


class Builder:
    """Builds one file's tree and notes the line of each key in ``source.marks``."""

    def __init__(self, source: Source, text: str) -> None:
        self._source = source
        self._lines = text.split("\n")
        self._constructor = SafeConstructor()
        self._count = 0

    def build(self, node: yaml.Node, path: KeyPath) -> object:
        """
        The value of ``node``, ``None`` where it is not one (and reported).

        Raises:
            ConfigError: The tree is larger or deeper than is allowed.
        """
        self._count += 1
        if self._count > MAX_VALUES or len(path) > MAX_DEPTH:
            limit = f"more than {MAX_VALUES} values or {MAX_DEPTH} levels"
            where = f"{self._source.name}:{node.start_mark.line + 1}"
            raise ConfigError(
                [Problem(where=where, path=None, message=f"has {limit}", remedy="make it smaller")]
            )
        self._mark(node, path)
        if isinstance(node, yaml.MappingNode):
            if node.flow_style and path and path[-1] in _TEXTS and not set(_OWN).intersection(path):
                return self._braces(path)
            self._refuse_tag(node, "map", path)
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            self._refuse_tag(node, "seq", path)
            return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
        own: dict[str, object] = {}
        merged: dict[str, object] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._source.report(path, f"has a key in line {line} that is not text", "write a plain key")
            elif key_node.tag.removeprefix(_TAG) not in _KEY_KINDS:
                self._source.report(
                    path, f"has a key in line {line} with a YAML tag", "take the tag (!…) away"
                )
            elif key_node.tag == f"{_TAG}merge":
                merged = self._merge(value_node, path) | merged
            elif key_node.value in own:
                key = key_node.value
                message = f"is a duplicate key: it stands in lines {lines[key]} and {line}"
                self._source.report((*path, key), message, "keep one of them")
            else:
                key = key_node.value
                lines[key] = line
                own[key] = self.build(value_node, (*path, key))
                self._mark(value_node, (*path, key), key_node)
        return {**merged, **own}

    def _merge(self, node: yaml.Node, path: KeyPath) -> dict[str, object]:
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        merged: dict[str, object] = {}
        for part in parts:
            value = self.build(part, path)
            if isinstance(value, dict):
                merged = value | merged
            else:
                self._source.report(path, "merges (<<) what is not a mapping", "merge an anchored mapping")
        return merged

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> object:
        kind = node.tag.removeprefix(_TAG)
        try:
            match kind:
                case "null":
                    return None
                case "bool":
                    return bool(self._constructor.construct_yaml_bool(node))
                case "int" | "float" if not _DECIMAL.fullmatch(node.value):
                    return self._not_decimal(node.value, path)
                case "int":
                    return int(self._constructor.construct_yaml_int(node))
                case "float":
                    return float(self._constructor.construct_yaml_float(node))
                case "str" | "timestamp" | "value":
                    return self._text(str(node.value), path)
        except (ValueError, KeyError, IndexError, TypeError):
            self._source.report(path, f"is not a YAML {kind}", "quote it, or correct it")
            return ""
        self._report_tag(path)
        return ""

    def _braces(self, path: KeyPath) -> Unresolved:
        """``{network}`` or ``{{ .Values.topic }}`` where a text is meant."""
        what = "begins with a brace, so that YAML reads no text"
        self._source.report(path, what, 'quote the value: "{…}"')
        return Unresolved("{…}")

    def _not_decimal(self, text: str, path: KeyPath) -> Unresolved:
        """YAML 1.1 takes 010 for 8, 0x1F for 31, 1_000 for 1000 and 1:30 for 90."""
        what = "is not written in decimal, but YAML reads it as a number"
        self._source.report(path, what, "write it in decimal, or quote it if it is text")
        # What else might be said of the value would come from the same mistake.
        return Unresolved(text)

    def _refuse_tag(self, node: yaml.Node, kind: str, path: KeyPath) -> None:
        if node.tag != f"{_TAG}{kind}":
            self._report_tag(path)

    def _report_tag(self, path: KeyPath) -> None:
        self._source.report(path, "has a YAML tag that is not supported", "take the tag (!…) away")

    def _text(self, text: str, path: KeyPath) -> str:
        if _SURROGATE.search(text) or "\0" in text:
            self._source.report(path, "holds a character that is no text", "take the escape out")
            return ""
        return text

    def _mark(self, node: yaml.Node, path: KeyPath, key: yaml.Node | None = None) -> None:
        start = (key or node).start_mark
        text = node.value if isinstance(node, yaml.ScalarNode) and not node.style else None
        line, column = self._text_place(node)
        self._source.marks[path] = Mark(start.line + 1, start.column + 1, text, line, column)

    def _text_place(self, node: yaml.Node) -> tuple[int | None, int]:
        """Where the text of a string begins, as far as its lines are those of the file."""
        first = node.start_mark.line + 1
        if not isinstance(node, yaml.ScalarNode):
            return None, 1
        if node.style == "|":
            lines = self._lines[first : node.end_mark.line + 1]
            filled = next((line for line in lines if line.strip()), "")
            return first + 1, len(filled) - len(filled.lstrip(" ")) + 1
        if node.style == ">" or node.end_mark.line >= first:
            return None, 1
        return first, node.start_mark.column + (2 if node.style else 1)
