"""What is wrong with the identity, the cursor and the window that a user asks for."""

from __future__ import annotations

from collections.abc import Iterator

from connector.records.additions import is_absent
from connector.records.paths import dotted
from connector.records.plan import DocumentRules, FieldPath, Finding, SubscriptionSpec
from connector.records.row_identity import Identified, obstacle_to_identity
from connector.records.selection import Selected


def own_paths(spec: SubscriptionSpec) -> list[tuple[str, FieldPath]]:
    """The fields of a row that ``spec`` names for its identity and as its cursor, with their keys."""
    paths = [(f"identity[{index}]", path) for index, path in enumerate(spec.identity or ())]
    return paths + ([("cursor", spec.cursor)] if spec.cursor is not None else [])


def absent_paths(spec: SubscriptionSpec, row: Selected) -> list[FieldPath]:
    """Those of them that the document does not select, so that they may be added."""
    return [path for _, path in own_paths(spec) if is_absent(row, path)]


def check_identity(
    spec: SubscriptionSpec, rows: FieldPath, row: Selected, rules: DocumentRules, found: Identified
) -> Iterator[Finding]:
    """
    What stands in the way of what ``spec`` asks for, where its paths lead to leaves.

    ``found`` is what an answer's rows are known by, once fields have been added.
    """
    obstacle = obstacle_to_identity(rows, row, rules)
    if spec.identity == ():
        yield Finding(key="identity", message="is an empty list", remedy="name fields, or take the key out")
    elif obstacle is not None and spec.identity is not None:
        yield obstacle
    for key, path in own_paths(spec):
        if _may_be_missing(row, path):
            what = f"{dotted(path)} may be left out of an answer by an @include or @skip"
            yield Finding(key=key, message=what, remedy="take that directive out of the document")
    if found.identity is not None or spec.identity is not None:
        return
    reason = next(lack for lack in found.lacks if lack.key == "identity")
    if spec.add_fields and (obstacle is not None or spec.cursor is None):
        what = f"has no fields to add that would tell rows apart: {reason.message}"
        yield Finding(key="add_fields", message=what, remedy=reason.remedy)
    if spec.dedup not in (None, "off"):
        what = f"drops repeats of rows that have an identity, and these have none: {reason.message}"
        yield Finding(key="dedup", message=what, remedy=reason.remedy)


def _may_be_missing(row: Selected, path: FieldPath) -> bool:
    """Whether a field that is selected is not in every row."""
    here: Selected | None = row
    for name in path:
        here = here.child(name) if here is not None else None
    return here is not None and here.is_conditional and not here.is_never and not row.is_conditional
