"""A spec and its document → a plan, or everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connector.records.add_fields import fields_to_add, with_fields
from connector.records.additions import Addition, paths_of
from connector.records.aggregates import metrics_in
from connector.records.dedup import DedupWindow
from connector.records.document import Document, read_document
from connector.records.identity_check import check_identity, own_paths
from connector.records.paths import check_leaf, check_lists, cubes_of, dotted, find_rows
from connector.records.plan import (
    DocumentRules,
    FieldPath,
    Finding,
    PlanError,
    SubscriptionPlan,
    SubscriptionSpec,
)
from connector.records.row_identity import Identified, identify
from connector.records.selection import Selected
from connector.records.topic_check import check_topic, check_values, empty_variables, fill_variables
from connector.records.variables import check_variables, known_values


def plan_subscription(spec: SubscriptionSpec, rules: DocumentRules) -> SubscriptionPlan:
    """
    Check one subscription.

    Raises:
        PlanError: The document cannot be subscribed to, its variables do not fit, ``rows`` does not cover
            what it selects, or a path or the topic names what is not there.
    """
    document = read_document(spec.document, spec.operation)
    findings = check_variables(document, spec)
    values = known_values(document, spec)
    declared = [node.variable.name.value for node in document.variables]
    # Where variables are at fault, what they leave open in the topic is no mistake of its own.
    unchecked = spec.unchecked.union(set(declared) - set(values) if findings else ())
    topic = fill_variables(spec.topic, values, unchecked)
    rows, row = find_rows(document.root, spec.rows, rules.rows_default, findings)
    added: dict[str, Addition] = {}
    found = Identified()
    if row is not None:
        added = fields_to_add(document, rows, row, spec, rules) if spec.add_fields else {}
        if added:
            document, row = with_fields(document, rows, added)
        findings += _of_paths(spec, document.root, rows, row, rules)
        found = identify(document.root, rows, row, spec, rules)
        findings += check_identity(spec, rows, row, rules, found)
    findings += _repeated("key", spec.key)
    findings += _repeated("identity", spec.identity or ())
    findings += check_values(spec.topic, values, unchecked)
    findings += check_topic(topic, spec, declared)
    if findings or row is None:
        raise PlanError(findings)
    return SubscriptionPlan(
        name=spec.name,
        document_text=document.text,
        operation_name=document.operation_name,
        variables=dict(spec.variables),
        root=document.root.response_name,
        rows=rows,
        object_rows=row.children is not None,
        key=spec.key,
        timestamp=spec.timestamp,
        topic=topic,
        headers=spec.headers,
        cubes=len(cubes_of(document.root)) if rules.rows_default == "cube" else 1,
        identity=found.identity,
        cursor=found.cursor,
        dedup=None if found.identity is None or spec.dedup == "off" else spec.dedup or DedupWindow(),
        has_metrics=any(True for _ in metrics_in(row, rules)),
        added=tuple(paths_of(added)),
        lacks=found.lacks,
        warnings=(*_warnings(document, rules), *_topic_warnings(spec, values)),
    )


def _of_paths(
    spec: SubscriptionSpec, root: Selected, rows: FieldPath, row: Selected, rules: DocumentRules
) -> Iterator[Finding]:
    """What is wrong with the paths of fields of a row."""
    for key, path in (*_row_paths(spec), *own_paths(spec)):
        yield from check_leaf(key, path, row, rows)
        if rules.rows_default == "cube" and row is root:
            yield from check_lists(key, path, row)


def _repeated(key: str, paths: Sequence[FieldPath]) -> Iterator[Finding]:
    for index, path in enumerate(paths):
        if path in paths[:index]:
            what = f"{dotted(path)} is {key}[{paths.index(path)}] too"
            yield Finding(key=f"{key}[{index}]", message=what, remedy="take one out")


def _row_paths(spec: SubscriptionSpec) -> list[tuple[str, tuple[str, ...]]]:
    paths = [(f"key[{index}]", path) for index, path in enumerate(spec.key)]
    if spec.timestamp is not None:
        paths.append(("timestamp", spec.timestamp))
    return paths + [(f"headers.{name}", path) for name, path in spec.headers]


def _warnings(document: Document, rules: DocumentRules) -> list[str]:
    found: dict[str, None] = {}
    for name in document.incremental:
        found[f"the document asks for @{name}: results in parts are bad records, so take it out"] = None
    for cube in cubes_of(document.root):
        name = f"{document.root.field_name}.{cube.field_name}"
        if name in rules.warned_cubes:
            found[f"{name} {rules.warned_cubes[name]}"] = None
        if name in rules.filtered_cubes and not cube.has_filter:
            found[f"{name} {rules.filtered_cubes[name]}"] = None
    return list(found)


def _topic_warnings(spec: SubscriptionSpec, values: Mapping[str, object]) -> list[str]:
    return [
        f"the topic {spec.topic} holds the variable ${name}, which is empty"
        for name in empty_variables(spec.topic, values)
    ]
