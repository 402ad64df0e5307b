"""A wish and its document → a plan, or everything that is wrong with them."""

from __future__ import annotations

from connector.records.document import Document, read_document
from connector.records.paths import check_leaf, find_rows
from connector.records.plan import (
    DocumentRules,
    PlanError,
    SubscriptionPlan,
    SubscriptionWish,
)
from connector.records.selection import TYPENAME, Selected
from connector.records.topic_check import check_topic, fill_variables
from connector.records.variables import check_variables, known_values


def plan_subscription(wish: SubscriptionWish, rules: DocumentRules) -> SubscriptionPlan:
    """
    Check one subscription.

    Raises:
        PlanError: The document cannot be subscribed to, its variables do not fit, ``rows`` does not cover
            what it selects, or a path or the topic names what is not there.
    """
    document = read_document(wish.document, wish.operation)
    findings = check_variables(document, wish)
    topic = fill_variables(wish.topic, known_values(document, wish), wish.unchecked)
    rows, row = find_rows(document.root, wish.rows, rules.rows_default, findings)
    if row is not None:
        for key, path in _row_paths(wish):
            findings += check_leaf(key, path, row, rows)
    findings += check_topic(topic, wish)
    if findings or row is None:
        raise PlanError(findings)
    return SubscriptionPlan(
        name=wish.name,
        document_text=document.text,
        operation_name=document.operation_name,
        variables=dict(wish.variables),
        root=document.root.response_name,
        rows=rows,
        key=wish.key,
        timestamp=wish.timestamp,
        topic=topic,
        headers=wish.headers,
        cubes=len(_cubes(document)) if rules.rows_default == "cube" else 1,
        warnings=tuple(_warnings(document, rules)),
    )


def _row_paths(wish: SubscriptionWish) -> list[tuple[str, tuple[str, ...]]]:
    paths = [(f"key[{index}]", path) for index, path in enumerate(wish.key)]
    if wish.timestamp is not None:
        paths.append(("timestamp", wish.timestamp))
    return paths + [(f"headers.{name}", path) for name, path in wish.headers]


def _cubes(document: Document) -> list[Selected]:
    children = document.root.children or {}
    return [child for child in children.values() if child.field_name != TYPENAME]


def _warnings(document: Document, rules: DocumentRules) -> list[str]:
    found: dict[str, None] = {}
    for cube in _cubes(document):
        name = f"{document.root.field_name}.{cube.field_name}"
        if name in rules.warned_cubes:
            found[f"{name} {rules.warned_cubes[name]}"] = None
        if name in rules.filtered_cubes and not cube.has_filter:
            found[f"{name} {rules.filtered_cubes[name]}"] = None
    return list(found)
