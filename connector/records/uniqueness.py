"""Names that a document may give only once (GraphQL specification §5.4.2, §5.6.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from connector.records.findings import finding
from connector.records.plan import Finding
from connector.records.walk import nodes_below

if TYPE_CHECKING:
    from graphql import DocumentNode, Node


def check_uniqueness(tree: DocumentNode) -> list[Finding]:
    """Arguments of one field or directive, and keys of one input object, that come twice."""
    findings: list[Finding] = []
    for node in nodes_below(tree):
        findings += _twice(getattr(node, "arguments", None) or (), "the argument")
        if node.kind == "object_value":
            findings += _twice(node.fields, "the key")  # type: ignore[attr-defined]
    return findings


def _twice(named: tuple[Node, ...], what: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for node in named:
        name: str = node.name.value  # type: ignore[attr-defined]
        if name in seen:
            yield finding(f"{what} {name!r} is given twice", "take one out", node)
        seen.add(name)
