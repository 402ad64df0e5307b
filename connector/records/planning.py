"""A wish and its document → a plan, or everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connector.records.document import Document, read_document
from connector.records.paths import check_leaf, cubes_of, dotted, find_rows
from connector.records.plan import (
    DocumentRules,
    FieldPath,
    Finding,
    PlanError,
    SubscriptionPlan,
    SubscriptionWish,
)
from connector.records.topic_check import check_topic, check_values, empty_variables, fill_variables
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
    values = known_values(document, wish)
    declared = [node.variable.name.value for node in document.variables]
    # Where variables are at fault, what they leave open in the topic is no mistake of its own.
    unchecked = wish.unchecked.union(set(declared) - set(values) if findings else ())
    topic = fill_variables(wish.topic, values, unchecked)
    rows, row = find_rows(document.root, wish.rows, rules.rows_default, findings)
    if row is not None:
        for key, path in _row_paths(wish):
            findings += check_leaf(key, path, row, rows)
    findings += _repeated_keys(wish.key)
    findings += check_values(wish.topic, values, unchecked)
    findings += check_topic(topic, wish, declared)
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
        cubes=len(cubes_of(document.root)) if rules.rows_default == "cube" else 1,
        warnings=(*_warnings(document, rules), *_topic_warnings(wish, values)),
    )


def _repeated_keys(key: Sequence[FieldPath]) -> Iterator[Finding]:
    for index, path in enumerate(key):
        if path in key[:index]:
            what = f"{dotted(path)} is key[{key.index(path)}] too"
            yield Finding(key=f"key[{index}]", message=what, remedy="take one out")


def _row_paths(wish: SubscriptionWish) -> list[tuple[str, tuple[str, ...]]]:
    paths = [(f"key[{index}]", path) for index, path in enumerate(wish.key)]
    if wish.timestamp is not None:
        paths.append(("timestamp", wish.timestamp))
    return paths + [(f"headers.{name}", path) for name, path in wish.headers]


def _warnings(document: Document, rules: DocumentRules) -> list[str]:
    found: dict[str, None] = {}
    for cube in cubes_of(document.root):
        name = f"{document.root.field_name}.{cube.field_name}"
        if name in rules.warned_cubes:
            found[f"{name} {rules.warned_cubes[name]}"] = None
        if name in rules.filtered_cubes and not cube.has_filter:
            found[f"{name} {rules.filtered_cubes[name]}"] = None
    return list(found)


def _topic_warnings(wish: SubscriptionWish, values: Mapping[str, object]) -> list[str]:
    return [
        f"the topic {wish.topic} holds the variable ${name}, which is empty"
        for name in empty_variables(wish.topic, values)
    ]
