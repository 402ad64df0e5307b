"""Documents whose rows are made of many: what they count is that of a moment, and no row comes again."""

from __future__ import annotations

from collections.abc import Iterator

from connector.records.plan import DocumentRules, FieldPath
from connector.records.selection import Selected


def metrics_in(row: Selected, rules: DocumentRules, above: FieldPath = ()) -> Iterator[FieldPath]:
    """The fields of ``row`` that make it an aggregate, by their response names; none where none is known."""
    for name, child in (row.children or {}).items():
        if child.is_never:
            continue
        if _is_metric(child, rules):
            yield (*above, name)
        else:
            yield from metrics_in(child, rules, (*above, name))


def _is_metric(field: Selected, rules: DocumentRules) -> bool:
    if field.field_name in rules.metrics:
        return True
    return bool(rules.metrics and field.arguments) and field.field_name not in rules.expressions
