"""Walking a parsed document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphql import Node

_KEYS: dict[type[Node], tuple[str, ...]] = {}
"""graphql-core works them out anew each time that it is asked; there are some sixty kinds of nodes."""


def nodes_below(node: Node) -> Iterator[Node]:
    """``node`` and all that is in it, in the order of the text; without recursion."""
    waiting: list[Node] = [node]
    while waiting:
        current = waiting.pop()
        yield current
        kind = type(current)
        if kind not in _KEYS:
            _KEYS[kind] = tuple(reversed(kind.keys))
        for key in _KEYS[kind]:
            value = getattr(current, key, None)
            if isinstance(value, (tuple, list)):
                waiting.extend(reversed(value))
            elif value is not None and hasattr(value, "kind") and hasattr(value, "keys"):
                waiting.append(value)
