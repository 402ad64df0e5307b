"""What pydantic found → problems that name the line, the key path and the remedy."""

from __future__ import annotations

import types
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from connector.config.mistake import Mistake
from connector.config.paths import KeyPath
from connector.config.root import Config
from connector.config.section import Section
from connector.config.source import Source
from connector.records.findings import did_you_mean

_MAPPING = ("model_type", "model_attributes_type", "dict_type", "mapping_type")
_LIST = ("tuple_type", "list_type")


def report_errors(error: ValidationError, source: Source, unresolved: Collection[KeyPath]) -> None:
    """Report each mistake once, but for those of values at the paths ``unresolved``, which are not known."""
    errors = [
        item
        for item in error.errors(include_url=False, include_input=False)
        if _path_of(item, source) not in unresolved or not _is_of_the_value(item)
    ]
    # An unknown preset has no defaults: what is missing then says nothing.
    no_preset = any(item["loc"] == ("endpoint", "preset") for item in errors)
    for item in errors:
        path = _path_of(item, source)
        if no_preset and item["type"] == "missing" and path[-1] in ("url", "token_url"):
            continue
        if item["type"] == "missing" and source.has_problem(path):
            continue  # the key is there, without a value
        message, remedy = _say(item, path)
        source.report(source.written(path), message, remedy)


def _is_of_the_value(item: ErrorDetails) -> bool:
    """Whether another value could be right there: no placeholder makes a key known, or a section of text."""
    is_of_the_key = item["type"] == "extra_forbidden" or item["loc"][-1] == "[key]"
    is_element = item["type"] in _MAPPING and isinstance(item["loc"][-1], int)
    return not is_of_the_key and not is_element


def _path_of(item: ErrorDetails, source: Source) -> KeyPath:
    """Where it stands, without the index of a list of one that was written without its brackets."""
    written: KeyPath = ()
    for part in (part for part in item["loc"] if part != "[key]"):
        if part != 0 or isinstance(part, str) or (*written, part) in source.marks:
            written = (*written, part)
    return written


def _say(item: ErrorDetails, path: KeyPath) -> tuple[str, str]:
    cause = item.get("ctx", {}).get("error")
    if isinstance(cause, Mistake):
        return cause.message, cause.remedy
    kind = item["type"]
    if kind == "extra_forbidden":
        return "is an unknown key", _nearest(path)
    if kind == "missing":
        return "is missing", f"add it: {_description(path)}"
    if kind in _MAPPING:
        return "must hold key: value pairs", "indent its keys below it, each with a colon and a space"
    if kind in _LIST:
        return "must be a list", "write each element behind a '- '"
    message = item["msg"]
    return message[:1].lower() + message[1:], "correct the value"


def _nearest(path: KeyPath) -> str:
    if not str(path[-1]).isprintable():
        return "write plain spaces before it: it has characters that only look like them, or that nobody sees"
    section = section_at(path[:-1])
    names = _keys(section) if section else []
    close = did_you_mean(str(path[-1]), names)
    return close or f"there is: {', '.join(names)}"


def _keys(section: type[Section]) -> list[str]:
    return [field.alias or name for name, field in section.model_fields.items()]


def _description(path: KeyPath) -> str:
    section = section_at(path[:-1])
    for name, field in (section.model_fields if section else {}).items():
        if (field.alias or name) == path[-1]:
            return field.description or name
    return "see the reference"


def is_part_of_a_key(text: str) -> bool:
    """Whether the name of one of our keys holds ``text``: then it is a word, and key paths show it."""
    return any(text in key for key in _all_keys(Config))


def _all_keys(section: type[Section]) -> Iterator[str]:
    yield from _keys(section)
    for field in section.model_fields.values():
        inner = section_in(field.annotation)
        if inner is not None:
            yield from _all_keys(inner)


def section_at(path: Iterable[str | int], root: type[Section] = Config) -> type[Section] | None:
    """The section that stands at ``path``, ``None`` where there is none."""
    section: type[Section] | None = root
    for part in path:
        if isinstance(part, int):
            continue
        fields = section.model_fields if section else {}
        found = [field for name, field in fields.items() if (field.alias or name) == part]
        section = section_in(found[0].annotation) if found else None
    return section


def section_in(annotation: Any) -> type[Section] | None:
    """The section that a field of this type holds: itself, optional, or as the elements of a tuple."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    if get_origin(annotation) in (Union, types.UnionType, tuple):
        return next((found for part in get_args(annotation) if (found := section_in(part))), None)
    return None
