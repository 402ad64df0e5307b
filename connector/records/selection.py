"""The tree of response names that an operation selects, fragments put in and equal fields merged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from connector.records.findings import place_of
from connector.records.plan import FieldPath, Finding, PlanError

if TYPE_CHECKING:
    from graphql import DirectiveNode, FieldNode, FragmentDefinitionNode, SelectionNode, SelectionSetNode

MAX_FIELDS = 20_000
"""More selected fields than this are refused: nested fragments can grow without bound."""

TYPENAME = "__typename"

_CONDITIONS = {"skip": True, "include": False}
"""The directives of §3.13.1 and §3.13.2, with the condition that leaves their selection out."""


_INCREMENTAL = {"defer", "stream"}


@dataclass(slots=True)
class Selected:  # each part of it is what the document says of one field
    """
    One selected field.

    ``response_name`` is its alias where it has one, ``field_name`` the schema's name; ``children`` is
    ``None`` for a leaf. ``has_filter`` says that it has a ``where`` argument that is not empty; ``is_never``
    that it cannot be in any answer, for each of its places is under a ``@skip(if: true)`` or
    ``@include(if: false)``; ``is_conditional`` that it may be left out of one, by a variable too.
    """

    response_name: str
    field_name: str
    line: int
    column: int
    arguments: str = ""
    has_filter: bool = False
    is_never: bool = False
    is_conditional: bool = False
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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Context:
    """How a selection was come to: through which fragments, and past which conditions."""

    spreading: FieldPath = ()
    is_root: bool = True
    is_never: bool = False
    is_conditional: bool = False


@dataclass(slots=True)
class Selector:
    """
    Collects selections; one for each document, ``findings`` grows as mistakes are met, and ``incremental``
    with the directives that ask for parts to come later.
    """

    fragments: Mapping[str, FragmentDefinitionNode]
    findings: list[Finding] = field(default_factory=list)
    incremental: set[str] = field(default_factory=set)
    count: int = 0

    def collect(self, nodes: SelectionSetNode) -> dict[str, Selected]:
        """
        Return what an operation's ``nodes`` select.

        Raises:
            PlanError: There are more than ``MAX_FIELDS`` fields.
        """
        return self._collect(nodes, {}, _Context())

    def _collect(
        self, nodes: SelectionSetNode, into: dict[str, Selected], context: _Context
    ) -> dict[str, Selected]:
        for node in nodes.selections:
            condition = next(iter(_conditions(node)), None)
            if condition is not None and context.is_root:
                what = f"@{condition.name.value} may not stand at the root of a subscription"
                self._find(
                    what, "take it out: what is subscribed to cannot depend on it", *place_of(condition)
                )
            asked = {directive.name.value for directive in node.directives or ()}
            self.incremental |= asked & _INCREMENTAL
            here = replace(
                context,
                is_never=context.is_never or _is_never(node),
                is_conditional=context.is_conditional or may_be_left_out(node),
            )
            if node.kind == "field":
                self._add_field(node, into, here)  # type: ignore[arg-type]
            elif node.kind == "inline_fragment":
                self._collect(node.selection_set, into, here)  # type: ignore[attr-defined]
            else:
                self._spread(node.name.value, node, into, here)  # type: ignore[attr-defined]
        return into

    def _spread(self, name: str, node: object, into: dict[str, Selected], context: _Context) -> None:
        self._count()
        line, column = place_of(node)
        if name in context.spreading:
            self._find(f"the fragment {name!r} spreads itself", "take the spread out of it", line, column)
        elif name not in self.fragments:
            self._find(f"the fragment {name!r} is not defined", "define it in this document", line, column)
        else:
            inside = replace(context, spreading=(*context.spreading, name))
            self._collect(self.fragments[name].selection_set, into, inside)

    def _add_field(self, node: FieldNode, into: dict[str, Selected], context: _Context) -> None:
        from graphql import print_ast

        self._count()
        line, column = place_of(node)
        name = node.alias.value if node.alias else node.name.value
        arguments = ", ".join(sorted(print_ast(argument) for argument in node.arguments or ()))
        found = Selected(
            name,
            node.name.value,
            line,
            column,
            arguments=arguments,
            has_filter=_has_filter(node),
            is_never=context.is_never,
            is_conditional=context.is_conditional,
        )
        known = into.setdefault(name, found)
        same = (known.field_name, known.arguments) == (found.field_name, arguments)
        if not same or (known is not found and (known.children is None) != (node.selection_set is None)):
            self._find(f"{name!r} stands for two different fields", "give one an alias", line, column)
            return
        known.is_never = known.is_never and found.is_never
        known.is_conditional = known.is_conditional and found.is_conditional
        if node.selection_set is not None:
            if known.children is None:
                known.children = {}
            self._collect(node.selection_set, known.children, replace(context, is_root=False))

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


def may_be_left_out(node: SelectionNode) -> bool:
    """Return whether a ``@skip`` or ``@include`` may keep a selection out of an answer."""
    return any(
        _literal(directive) in (None, _CONDITIONS[directive.name.value]) for directive in _conditions(node)
    )


def _is_never(node: SelectionNode) -> bool:
    """Whether a literal condition keeps a selection out of every answer."""
    return any(_literal(directive) is _CONDITIONS[directive.name.value] for directive in _conditions(node))


def _conditions(node: SelectionNode) -> list[DirectiveNode]:
    """Each ``@skip`` and ``@include`` of a selection."""
    return [found for found in node.directives or () if found.name.value in _CONDITIONS]


def _literal(condition: DirectiveNode) -> bool | None:
    """What a condition is written to depend on; ``None``: a variable, or nothing."""
    for argument in condition.arguments or ():
        if argument.name.value == "if" and argument.value.kind == "boolean_value":
            return bool(argument.value.value)  # type: ignore[attr-defined]
    return None
