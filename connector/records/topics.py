"""Topic names from a template."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from connector.records.bad import Stage, Unconvertible
from connector.records.fields import Fields, Path, text_of

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_LEGAL = re.compile(r"[a-zA-Z0-9._-]{1,249}")


KAFKA_OWN = frozenset(
    {
        "__cluster_metadata",
        "__consumer_offsets",
        "__remote_log_metadata",
        "__share_group_state",
        "__transaction_state",
    }
)
"""Topics that Kafka keeps for itself."""


class IllegalTopic(Unconvertible):
    """A row's fields make a name that Kafka does not allow."""

    def __init__(self, name: str) -> None:
        shown = name if len(name) <= 60 else name[:57] + "..."
        message = f"{shown!r} is not a legal topic name: 1 to 249 letters, digits, '.', '_' or '-'"
        super().__init__(message, Stage.TOPIC)


class EmptyTopicField(Unconvertible):
    """A field that belongs into a topic's name is null, absent or empty."""

    def __init__(self, path: Path) -> None:
        message = f"{'.'.join(path)} is null, absent or empty, and the name of the topic is made with it"
        super().__init__(message, Stage.TOPIC)


class ForbiddenTopic(Unconvertible):
    """A row's fields make the name of a topic that is not for rows."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} is not a topic for rows", Stage.TOPIC)


def is_legal_topic(name: str) -> bool:
    """Return whether Kafka allows ``name``."""
    return _LEGAL.fullmatch(name) is not None and name not in (".", "..")


def offsets_topic(connector: str) -> str:
    """Return the name of the topic that holds the offsets of ``connector``; nothing else may be in it."""
    return f"{connector}.offsets"


class TopicTemplate:
    """
    A topic's name with ``{placeholders}``: variables of the document, filled in at once, and paths of
    fields of the row, filled in row by row. ``forbidden`` names must not come of it, nor Kafka's own.
    """

    def __init__(
        self, template: str, variables: Mapping[str, object], *, forbidden: frozenset[str] = frozenset()
    ) -> None:
        self._forbidden = forbidden | KAFKA_OWN
        # Literal text and names by turns. A variable's value is literal text, whatever is in it.
        first, *rest = _PLACEHOLDER.split(template)
        self._literals = [first]
        paths: list[Path] = []
        for placeholder, literal in zip(rest[::2], rest[1::2], strict=True):
            value = None if "." in placeholder else variables.get(placeholder)
            if value is None:
                paths.append(tuple(placeholder.split(".")))
                self._literals.append(literal)
            else:
                self._literals[-1] += f"{value}{literal}"
        self.paths = tuple(paths)

    @property
    def static(self) -> str | None:
        """The name where no field of a row is in it, else ``None``."""
        return None if self.paths else self._literals[0]

    def compile(self, fields: Fields) -> Callable[[Any], str]:
        """
        Return the function that names the topic of a decoded item.

        The function raises `EmptyTopicField`, `IllegalTopic` and `ForbiddenTopic`.
        """
        forbidden = self._forbidden
        getters = [(path, fields.getter(path)) for path in self.paths]
        parts = tuple(self._literals)

        def name(item: Any) -> str:
            pieces = [parts[0]]
            for (path, get), rest in zip(getters, parts[1:], strict=True):
                try:
                    text = text_of(get(item))
                except (msgspec.DecodeError, UnicodeDecodeError):
                    raise IllegalTopic("undecodable") from None
                if not text:
                    raise EmptyTopicField(path)
                pieces += [text, rest]
            full = "".join(pieces)
            if not is_legal_topic(full):
                raise IllegalTopic(full)
            if full in forbidden:
                raise ForbiddenTopic(full)
            return full

        return name
