"""What an operation declares and what it uses: variables and fragments (GraphQL specification §5.5, §5.8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from connector.records.findings import finding, repeated
from connector.records.plan import Finding
from connector.records.walk import nodes_below

if TYPE_CHECKING:
    from graphql import DocumentNode, FragmentDefinitionNode, Node, OperationDefinitionNode


def unused_fragments(tree: DocumentNode, fragments: Mapping[str, FragmentDefinitionNode]) -> list[Finding]:
    """Fragments that no operation spreads (§5.5.1.4)."""
    reached: set[str] = set()
    for definition in tree.definitions:
        if definition.kind == "operation_definition":
            _reach(definition, fragments, reached)
    return [
        finding(f"the fragment {name!r} is not used", "take it out: upstreams refuse it", node)
        for name, node in fragments.items()
        if name not in reached
    ]


def used_variables(
    chosen: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> dict[str, Node]:
    """The variables that ``chosen`` refers to, fragments included, each with where it comes first."""
    reached: set[str] = set()
    _reach(chosen, fragments, reached)
    parts: list[Node] = [chosen.selection_set, *(chosen.directives or ())]
    parts += [fragments[name] for name in reached]
    used: dict[str, Node] = {}
    for part in parts:
        used |= _names_below(part, "variable")
    return used


def check_declarations(chosen: OperationDefinitionNode, used: dict[str, Node]) -> list[Finding]:
    """Variables declared twice, used but not declared, declared but not used (§5.8)."""
    declared = [node.variable.name.value for node in chosen.variable_definitions or ()]
    findings = [
        finding(f"the variable ${name} is declared twice", "take one out", chosen)
        for name in repeated(declared)
    ]
    findings += [
        finding(f"the variable ${name} is not declared", f"declare it: (${name}: …)", node)
        for name, node in used.items()
        if name not in declared
    ]
    findings += [
        finding(f"the variable ${node.variable.name.value} is never used", "take it out", node)
        for node in chosen.variable_definitions or ()
        if node.variable.name.value not in used
    ]
    return findings


def _reach(node: Node, fragments: Mapping[str, FragmentDefinitionNode], reached: set[str]) -> None:
    for name in _names_below(node, "fragment_spread"):
        if name in fragments and name not in reached:
            reached.add(name)
            _reach(fragments[name], fragments, reached)


def _names_below(node: Node, kind: str) -> dict[str, Node]:
    """The names of all nodes of ``kind`` below ``node``, each with where it comes first."""
    found: dict[str, Node] = {}
    for current in nodes_below(node):
        if current.kind == kind:
            found.setdefault(current.name.value, current)  # type: ignore[attr-defined]
    return found
