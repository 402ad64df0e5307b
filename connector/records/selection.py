"""The tree of response names that an operation selects, fragments put in and equal fields merged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connector.records.findings import place_of
from connector.records.plan import FieldPath, Finding, PlanError

if TYPE_CHECKING:
    from graphql import FieldNode, FragmentDefinitionNode, SelectionSetNode

MAX_FIELDS = 20_000
"""More selected fields than this are refused: nested fragments can grow without bound."""

TYPENAME = "__typename"


@dataclass(slots=True)
class Selected:
    """
    One selected field.

    ``response_name`` is its alias where it has one, ``field_name`` the schema's name; ``children`` is
    ``None`` for a leaf. ``has_filter`` says that it has a ``where`` argument that is not empty.
    """

    response_name: str
    field_name: str
    line: int
    column: int
    arguments: str = ""
    has_filter: bool = False
    children: dict[str, Selected] | None = None

    def child(self, name: str) -> Selected | None:
        return (self.children or {}).get(name)

    def leaves(self, above: FieldPath = ()) -> Iterator[FieldPath]:
        """The paths of all leaves, relative to this field."""
        for name, child in (self.children or {}).items():
            if child.children is None:
                yield (*above, name)
            else:
                yield from child.leaves((*above, name))


@dataclass(slots=True)
class Selector:
    """Collects selections; one for each document, ``findings`` grows as mistakes are met."""

    fragments: Mapping[str, FragmentDefinitionNode]
    findings: list[Finding] = field(default_factory=list)
    count: int = 0

    def collect(
        self, nodes: SelectionSetNode, into: dict[str, Selected], spreading: FieldPath = ()
    ) -> dict[str, Selected]:
        """
        Add what ``nodes`` select to ``into``.

        Raises:
            PlanError: There are more than ``MAX_FIELDS`` fields.
        """
        for node in nodes.selections:
            if node.kind == "field":
                self._add_field(node, into, spreading)  # type: ignore[arg-type]
            elif node.kind == "inline_fragment":
                self.collect(node.selection_set, into, spreading)  # type: ignore[attr-defined]
            else:
                self._spread(node.name.value, node, into, spreading)  # type: ignore[attr-defined]
        return into

    def _spread(self, name: str, node: object, into: dict[str, Selected], spreading: FieldPath) -> None:
        self._count()
        line, column = place_of(node)
        if name in spreading:
            self._find(f"the fragment {name!r} spreads itself", "take the spread out of it", line, column)
        elif name not in self.fragments:
            self._find(f"the fragment {name!r} is not defined", "define it in this document", line, column)
        else:
            self.collect(self.fragments[name].selection_set, into, (*spreading, name))

    def _add_field(self, node: FieldNode, into: dict[str, Selected], spreading: FieldPath) -> None:
        from graphql import print_ast

        self._count()
        line, column = place_of(node)
        name = node.alias.value if node.alias else node.name.value
        arguments = ", ".join(sorted(print_ast(argument) for argument in node.arguments or ()))
        found = Selected(name, node.name.value, line, column, arguments, _has_filter(node))
        known = into.setdefault(name, found)
        same = (known.field_name, known.arguments) == (found.field_name, arguments)
        if not same or (known is not found and (known.children is None) != (node.selection_set is None)):
            self._find(f"{name!r} stands for two different fields", "give one an alias", line, column)
            return
        if node.selection_set is not None:
            if known.children is None:
                known.children = {}
            self.collect(node.selection_set, known.children, spreading)

    def _count(self) -> None:
        self.count += 1
        if self.count > MAX_FIELDS:
            what = f"the document selects more than {MAX_FIELDS} fields"
            raise PlanError([Finding(key="document", message=what, remedy="select fewer fields")])

    def _find(self, message: str, remedy: str, line: int, column: int) -> None:
        finding = Finding(key="document", message=message, remedy=remedy, line=line, column=column)
        if finding not in self.findings:
            self.findings.append(finding)


def _has_filter(node: FieldNode) -> bool:
    for argument in node.arguments or ():
        if argument.name.value == "where":
            return not (argument.value.kind == "object_value" and not argument.value.fields)  # type: ignore[attr-defined]
    return False
