"""Values that are not known: their placeholders could not be filled, or were not to be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connector.config.paths import KeyPath


@dataclass(frozen=True, slots=True)
class Unresolved:
    """
    What stands in the tree for a scalar that is not known; ``text`` is how it is written.

    It is no text, number or mapping, so that no check takes it for a value. Sections never hold one:
    they are made of a tree `as_written`, and their mistakes at such a key are dropped.
    """

    text: str


def as_written(value: object) -> object:
    """``value`` with the text of what is not known, however deep."""
    match value:
        case Unresolved():
            return value.text
        case dict():
            return {key: as_written(item) for key, item in value.items()}
        case list():
            return [as_written(item) for item in value]
    return value


def unresolved_paths(value: object, path: KeyPath = ()) -> Iterator[KeyPath]:
    """The path of everything in ``value`` that is not known."""
    match value:
        case Unresolved():
            yield path
        case dict():
            for key, item in value.items():
                yield from unresolved_paths(item, (*path, key))
        case list():
            for index, item in enumerate(value):
                yield from unresolved_paths(item, (*path, index))


def is_known(value: object) -> bool:
    """Whether nothing in ``value`` is unknown."""
    return next(unresolved_paths(value), None) is None
