"""The given variables against those that the operation declares, as far as can be told without a schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from connector.records.findings import did_you_mean
from connector.records.plan import Finding, SubscriptionSpec

if TYPE_CHECKING:
    from graphql import TypeNode, VariableDefinitionNode

    from connector.records.document import Document

_INT_BOUND = 2**31
"""An ``Int`` is a signed 32-bit number (GraphQL specification §3.5.1)."""

_BUILT_IN = ("Int", "Float", "String", "Boolean", "ID")
_KINDS = (
    (bool, "a boolean"),
    (int, "a number"),
    (float, "a number"),
    (str, "a string"),
    (Mapping, "a mapping"),
)


def check_variables(document: Document, spec: SubscriptionSpec) -> list[Finding]:
    """Variables that are missing, not declared, or plainly of another type than declared."""
    declared = {node.variable.name.value: node for node in document.variables}
    findings = [_unknown(name, list(declared)) for name in spec.variables if name not in declared]
    for name, node in declared.items():
        if name not in spec.variables:
            if node.type.kind == "non_null_type" and node.default_value is None:
                findings.append(_missing(name, node))
        elif name not in spec.unchecked:
            wrong = _mismatch(spec.variables[name], node.type)
            if wrong:
                findings.append(Finding(key=f"variables.{name}", message=wrong[0], remedy=wrong[1]))
    return findings


def known_values(document: Document, spec: SubscriptionSpec) -> dict[str, object]:
    """The value of each variable, the document's own defaults included where they are plain."""
    values: dict[str, object] = {}
    for node in document.variables:
        default = getattr(node.default_value, "value", None)
        if isinstance(default, (str, bool)):
            values[node.variable.name.value] = default
    return values | dict(spec.variables)


def _unknown(name: str, declared: list[str]) -> Finding:
    remedy = did_you_mean(name, declared) or "take it out, or declare it in the document"
    what = f"the document declares no variable ${name}"
    return Finding(key=f"variables.{name}", message=what, remedy=remedy)


def _missing(name: str, node: VariableDefinitionNode) -> Finding:
    from graphql import print_ast

    what = f"the variable ${name} of type {print_ast(node.type)} has no value"
    return Finding(key="variables", message=what, remedy=f"give it one: variables: {{{name}: …}}")


def _mismatch(value: object, declared: TypeNode) -> tuple[str, str] | None:
    """What is wrong with ``value`` and what to do; ``None`` where nothing can be said against it."""
    if declared.kind == "non_null_type":
        if value is None:
            return "is null, but its type does not allow that", "give it a value"
        return _mismatch(value, declared.type)  # type: ignore[attr-defined]
    if value is None:
        return None
    if declared.kind == "list_type":
        # A single value stands for a list of one (§3.11).
        items = value if isinstance(value, (list, tuple)) else [value]
        wrong = (_mismatch(item, declared.type) for item in items)  # type: ignore[attr-defined]
        return next((mistake for mistake in wrong if mistake), None)
    name: str = declared.name.value  # type: ignore[attr-defined]
    if name not in _BUILT_IN or _fits(value, name):
        return None
    return f"is {_kind(value)}, but declared as {name}", _remedy(name, value)


def _fits(value: object, name: str) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    match name:
        case "Int":
            return is_number and isinstance(value, int) and -_INT_BOUND <= value < _INT_BOUND
        case "Float":
            return is_number
        case "Boolean":
            return isinstance(value, bool)
        case "ID":
            return isinstance(value, str) or (is_number and isinstance(value, int))
        case _:
            return isinstance(value, str)


def _kind(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _INT_BOUND:
        return "a number beyond 32 bits"
    return next((word for kind, word in _KINDS if isinstance(value, kind)), "a list")


def _remedy(name: str, value: object) -> str:
    if name in ("String", "ID") and not isinstance(value, (list, tuple, Mapping)):
        return "quote it"
    words = {"Int": "a whole number", "Float": "a number", "Boolean": "true or false"}
    return f"write {words.get(name, 'a single string')}"
