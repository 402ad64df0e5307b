"""
Parsing and checking one GraphQL document (GraphQL specification, October 2021, §2 and §5).

There is no schema here: what can be known without one is checked, the rest is the upstream's to say.
graphql-core is imported where it is used, since that alone takes a fifth of a second.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from connector.records.declarations import check_declarations, unused_fragments, used_variables
from connector.records.findings import did_you_mean, finding, repeated
from connector.records.plan import Finding, PlanError
from connector.records.selection import Selected, Selector
from connector.records.syntax import remedy_for
from connector.records.uniqueness import check_uniqueness

if TYPE_CHECKING:
    from graphql import (
        DocumentNode,
        FragmentDefinitionNode,
        OperationDefinitionNode,
        VariableDefinitionNode,
    )

MAX_TOKENS = 100_000
"""A document with more tokens than this is refused."""

REMEMBERED = 8
"""Documents that are not read twice: hundreds of subscriptions may differ in their variables only."""

_TOO_DEEP = Finding(key="document", message="the document is nested too deeply", remedy="select fewer levels")


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """
    One subscription operation.

    ``operation_name`` is ``None`` where the document holds only one operation (it need not be sent);
    ``root`` is the single root field; ``used_variables`` are those that the operation refers to;
    ``incremental`` names its directives that ask for parts to come later.
    """

    text: str
    operation_name: str | None
    root: Selected
    variables: tuple[VariableDefinitionNode, ...]
    used_variables: frozenset[str]
    incremental: tuple[str, ...] = ()


@lru_cache(maxsize=REMEMBERED)
def read_document(text: str, operation: str | None = None) -> Document:
    """
    Parse ``text`` and pick its subscription, by name where ``operation`` gives one.

    Raises:
        PlanError: It does not parse, is not one subscription with one root field, or its fragments or
            variables do not add up.
    """
    try:
        return _read(text, operation)
    except RecursionError:
        raise PlanError([_TOO_DEEP]) from None


def _read(text: str, operation: str | None) -> Document:
    tree = _parse(text)
    chosen = _choose(tree, operation)
    fragments = _fragments(tree)
    selector = Selector(fragments)
    roots = selector.collect(chosen.selection_set)
    findings = [*selector.findings, *unused_fragments(tree, fragments), *check_uniqueness(tree)]
    if selector.findings:
        raise PlanError(findings)
    findings += _check_roots(roots)
    used = used_variables(chosen, fragments)
    findings += check_declarations(chosen, used)
    if findings:
        raise PlanError(findings)
    several = len([node for node in tree.definitions if node.kind == "operation_definition"]) > 1
    return Document(
        text=text,
        operation_name=chosen.name.value if several and chosen.name else None,
        root=next(iter(roots.values())),
        variables=tuple(chosen.variable_definitions or ()),
        used_variables=frozenset(used),
        incremental=tuple(sorted(selector.incremental)),
    )


def _parse(text: str) -> DocumentNode:
    from graphql import GraphQLSyntaxError, parse

    lines = [line.strip() for line in text.lstrip("\ufeff").split("\n")]
    if not any(lines):
        raise PlanError([finding("the document is empty", "write a GraphQL subscription in it")])
    if all(not line or line.startswith("#") for line in lines):
        remedy = "write the subscription on a line without '#'; in YAML, document: | keeps the line breaks"
        raise PlanError([finding("the document holds only comments", remedy)])
    try:
        # graphql-core takes empty selections unless told otherwise; the specification (§2.8) has none.
        return parse(text, max_tokens=MAX_TOKENS, allow_empty_selection_sets=False)
    except GraphQLSyntaxError as error:
        place = error.locations[0] if error.locations else None
        said = _cut(error.message.removeprefix("Syntax Error: ").rstrip("."))
        what, remedy = remedy_for(text, next(iter(error.positions or ()), 0), said)
        mistake = finding(
            f"the document {what}",
            remedy,
            line=place.line if place else None,
            column=place.column if place else None,
        )
        raise PlanError([mistake]) from None


def _cut(said: str) -> str:
    """Cut long words that are quoted: they may be anything, a token too, and say no more than the place."""
    return re.sub(r"'([^']{8})[^']{24,}'", r"'\1…'", said)


def _choose(tree: DocumentNode, wanted: str | None) -> OperationDefinitionNode:
    operations: list[OperationDefinitionNode] = []
    for node in tree.definitions:
        if node.kind == "operation_definition":
            operations.append(node)  # type: ignore[arg-type]
        elif node.kind != "fragment_definition":
            what = "the document defines types, as a schema does"
            raise PlanError([finding(what, "keep only operations and fragments in it", node)])
    names = [node.name.value for node in operations if node.name]
    if not operations:
        what = "the document has no operation, only fragments"
        raise PlanError([finding(what, "add a subscription to it that spreads them")])
    if len(operations) > 1 and len(names) < len(operations):
        nameless = max((node for node in operations if not node.name), key=_is_shorthand)
        what, remedy = (
            "an operation without a name stands beside others",
            "name every operation, or keep only one",
        )
        if _is_shorthand(nameless):
            remedy += "; if these are variables, put them under the subscription's key 'variables'"
        raise PlanError([finding(what, remedy, nameless)])
    twice = repeated(names)
    if twice:
        raise PlanError([finding(f"two operations are called {twice[0]!r}", "rename one of them")])
    return _subscription(_pick(operations, names, wanted))


def _pick(
    operations: Sequence[OperationDefinitionNode], names: Sequence[str], wanted: str | None
) -> OperationDefinitionNode:
    if wanted is not None:
        for node in operations:
            if node.name and node.name.value == wanted:
                return node
        what = f"the document has no operation called {wanted!r}"
        remedy = did_you_mean(wanted, names) or "name one that it has, or leave the key out"
        raise PlanError([Finding(key="operation", message=what, remedy=remedy)])
    if len(operations) > 1:
        what = f"the document has {len(operations)} operations: {', '.join(names)}"
        streams = [
            node.name.value for node in operations if node.name and node.operation.value == "subscription"
        ]
        which = f": operation: {streams[0]} is the only subscription" if len(streams) == 1 else ""
        raise PlanError([finding(what, f"say which one with the key 'operation'{which}")])
    return operations[0]


def _subscription(chosen: OperationDefinitionNode) -> OperationDefinitionNode:
    kind = chosen.operation.value
    if kind == "subscription":
        return chosen
    what, remedy = (
        f"the operation is a {kind}",
        "write 'subscription' in its place; only subscriptions stream",
    )
    if kind == "mutation":
        remedy = "write a subscription: a mutation changes what is upstream, and nothing streams from it"
    elif _is_shorthand(chosen):
        what = "the operation is a query, for it has no word before its '{'"
        remedy = "write 'subscription' before the brace; only subscriptions stream"
        first = chosen.selection_set.selections[0]
        if first.kind == "field" and first.name.value == "subscription":  # type: ignore[attr-defined]
            remedy = "take the outer braces out, so that it begins with 'subscription'"
    raise PlanError([finding(what, remedy, chosen)])


def _is_shorthand(node: OperationDefinitionNode) -> bool:
    return node.loc is not None and node.loc.start_token.value is None


def _fragments(tree: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    found: list[FragmentDefinitionNode] = [
        node  # type: ignore[misc]
        for node in tree.definitions
        if node.kind == "fragment_definition"
    ]
    twice = repeated([node.name.value for node in found])
    if twice:
        raise PlanError([finding(f"two fragments are called {twice[0]!r}", "rename one of them")])
    return {node.name.value: node for node in found}


def _check_roots(roots: dict[str, Selected]) -> list[Finding]:
    if len(roots) > 1:
        what = f"the subscription has {len(roots)} root fields: {', '.join(roots)}"
        fields = [root for root in roots.values() if not root.field_name.startswith("__")]
        if len(fields) == 1:
            extra = next(root for root in roots.values() if root is not fields[0])
            alias = next(name for name, root in roots.items() if root is extra)
            written = extra.field_name if alias == extra.field_name else f"{alias}: {extra.field_name}"
            remedy = f"take {written} out: a subscription has one root field (GraphQL, section 5.2.3.1)"
            return [finding(what, remedy, line=extra.line, column=extra.column)]
        second = list(roots.values())[1]
        remedy = "split it into one subscription for each root field"
        return [finding(what, remedy, line=second.line, column=second.column)]
    root = next(iter(roots.values()))
    if root.field_name.startswith("__"):
        what = f"{root.field_name} cannot be subscribed to"
        return [finding(what, "select a field of the subscription type", line=root.line, column=root.column)]
    return []
