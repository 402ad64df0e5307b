"""
Adding fields to the selection of a document's rows.

Only text is put in, so that the rest of the document, its comments too, stays as it is. A field goes into the
selection that is there already, or to the end of the row's own. It never goes into a fragment that the row
spreads, since others may spread it too: a field in two places is merged (GraphQL specification §5.3.2).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from connector.records.additions import Addition, additions_to
from connector.records.document import MAX_TOKENS, Document, read_document
from connector.records.identity_check import absent_paths
from connector.records.plan import DocumentRules, FieldPath, SubscriptionSpec
from connector.records.row_identity import identify, obstacle_to_identity
from connector.records.selection import Selected, may_be_left_out

if TYPE_CHECKING:
    from graphql import DocumentNode, FieldNode, FragmentDefinitionNode, SelectionSetNode

REMEMBERED = 8
"""Documents that are not parsed twice, as hundreds of subscriptions may have the same."""

_Edit = tuple[int, str]
"""A place in the text, and what is put there."""


def fields_to_add(
    document: Document, rows: FieldPath, row: Selected, spec: SubscriptionSpec, rules: DocumentRules
) -> dict[str, Addition]:
    """
    Return what a ``row`` lacks of its identity and its cursor: nothing where it may not be added, for another
    field would make other rows of aggregates.
    """
    if obstacle_to_identity(rows, row, rules) is not None:
        return {}
    found = identify(document.root, rows, row, spec, rules)
    return additions_to(row, own=absent_paths(spec, row), known=(*found.missing, *found.optional))


def with_fields(document: Document, rows: FieldPath, added: dict[str, Addition]) -> tuple[Document, Selected]:
    """Return ``document`` with the fields ``added`` to its rows, and the row that it has then."""
    text = add_to_rows(document.text, document.operation_name, rows, added)
    document = read_document(text, document.operation_name)
    row: Selected | None = document.root
    for name in rows[1:]:
        row = row.child(name) if row is not None else None
    assert row is not None  # nothing was taken out
    return document, row


def add_to_rows(text: str, operation_name: str | None, rows: FieldPath, added: dict[str, Addition]) -> str:
    """
    Return the document ``text`` with the fields ``added`` to its rows.

    It has been read without mistakes, its rows are at ``rows``, and are in every answer.
    """
    tree = _parse(text)
    fragments: dict[str, FragmentDefinitionNode] = {
        node.name.value: node  # type: ignore[attr-defined, misc]
        for node in tree.definitions
        if node.kind == "fragment_definition"
    }
    nodes = [_selections_of_operation(tree, operation_name)]
    for name in rows:
        nodes = [
            field.selection_set
            for node in nodes
            for field in _fields(name, node, fragments)
            if field.selection_set is not None
        ]
    for place, what in sorted(_edits(nodes[0], added, text), reverse=True):
        text = text[:place] + what + text[place:]
    return text


@lru_cache(maxsize=REMEMBERED)
def _parse(text: str) -> DocumentNode:
    from graphql import parse

    return parse(text, max_tokens=MAX_TOKENS, allow_empty_selection_sets=False)


def _selections_of_operation(tree: DocumentNode, name: str | None) -> SelectionSetNode:
    for node in tree.definitions:
        if node.kind == "operation_definition" and (name is None or (node.name and node.name.value == name)):  # type: ignore[attr-defined]
            return node.selection_set  # type: ignore[attr-defined, no-any-return]
    raise LookupError(name)


def _fields(
    name: str, selections: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode]
) -> Iterator[FieldNode]:
    """The places of the field ``name`` that are in every answer, those in fragments too."""
    for node in selections.selections:
        if may_be_left_out(node):
            continue
        if node.kind == "field":
            field: FieldNode = node  # type: ignore[assignment]
            if (field.alias or field.name).value == name:
                yield field
        elif node.kind == "inline_fragment":
            yield from _fields(name, node.selection_set, fragments)  # type: ignore[attr-defined]
        else:
            yield from _fields(name, fragments[node.name.value].selection_set, fragments)  # type: ignore[attr-defined]


def _edits(selections: SelectionSetNode, added: dict[str, Addition], text: str) -> Iterator[_Edit]:
    new: list[str] = []
    for name, addition in added.items():
        inner = _own(name, selections) if addition.below else None
        if inner is not None:
            yield from _edits(inner, addition.below, text)
        else:
            new.append(_written(name, addition))
    if new and selections.loc is not None:
        yield _before_brace(selections.loc.end - 1, " ".join(new), text)


def _own(name: str, selections: SelectionSetNode) -> SelectionSetNode | None:
    """What is selected of the field ``name`` where it is in ``selections`` itself, in no fragment."""
    for node in selections.selections:
        if node.kind == "field" and not may_be_left_out(node):
            field: FieldNode = node  # type: ignore[assignment]
            if (field.alias or field.name).value == name:
                return field.selection_set
    return None


def _written(name: str, addition: Addition) -> str:
    alias = f"{name}: " if name != addition.field_name else ""
    arguments = f"({addition.arguments})" if addition.arguments else ""
    below = " ".join(_written(*one) for one in addition.below.items())
    return f"{alias}{addition.field_name}{arguments}" + (f" {{ {below} }}" if below else "")


def _before_brace(place: int, what: str, text: str) -> _Edit:
    """On a line of its own where the brace has one."""
    line = text[:place].rpartition("\n")[2]
    if "\n" in text[:place] and not line.strip():
        return place, f"  {what}\n{line}"
    return place, f"{what} " if line[-1:].isspace() else f" {what} "
