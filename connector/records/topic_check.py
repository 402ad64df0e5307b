"""A topic template against the variables and the row fields that may stand in it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from connector.records.findings import did_you_mean
from connector.records.paths import dotted
from connector.records.plan import Finding, SubscriptionSpec
from connector.records.topics import KAFKA_OWN, is_legal_topic

_FIELD = re.compile(r"\{([^{}]*)\}")
_PATH = re.compile(r"[_A-Za-z][_0-9A-Za-z]*(\.[_A-Za-z][_0-9A-Za-z]*)*")

_IN_TOPICS = re.compile(r"[a-zA-Z0-9._-]*")
_CHARACTERS = "topic names hold 1 to 249 of a-z A-Z 0-9 . _ -"


def fill_variables(template: str, values: Mapping[str, object], unchecked: frozenset[str]) -> str:
    """
    Put variables in their places; what is left in braces are row fields.

    A variable whose value is not known yet (``unchecked``) becomes an ``x``, and so does one that
    `check_values` refuses.
    """

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        value = "x" if name in unchecked else _text(values.get(name))
        if value is None:
            return match[0]
        return value if _IN_TOPICS.fullmatch(value) else "x"

    return _FIELD.sub(fill, template)


def check_values(template: str, values: Mapping[str, object], unchecked: frozenset[str]) -> list[Finding]:
    """Variables of a template whose values no topic name may hold."""
    return [
        _wrong(f"the value of ${name} holds what no topic name may", _CHARACTERS)
        for name in _variables_in(template, values)
        if name not in unchecked and not _IN_TOPICS.fullmatch(_text(values[name]) or "")
    ]


def empty_variables(template: str, values: Mapping[str, object]) -> list[str]:
    """The variables of a template whose values are empty."""
    return [name for name in _variables_in(template, values) if values[name] == ""]


def check_topic(topic: str, spec: SubscriptionSpec, declared: Collection[str]) -> list[Finding]:
    """
    What is wrong with a template whose variables have been filled in.

    ``declared`` are the variables of the document.
    """
    named = {dotted(path) for path in (*spec.key, *(path for _, path in spec.headers))}
    findings = []
    for field in _FIELD.findall(topic):
        if not _PATH.fullmatch(field):
            findings.append(_wrong("has braces that hold no name", "write {variable} or {Row.Field}"))
        elif field in declared and field not in named:
            what = f"{{{field}}} is a variable without a single value"
            findings.append(_wrong(what, f"give it a text or a number: variables: {{{field}: …}}"))
        elif field not in named:
            findings.append(_unknown(field, [*declared, *sorted(named)]))
    plain = _FIELD.sub("x", topic)
    if plain in KAFKA_OWN:
        findings.append(_wrong("is one of Kafka's own topics", "choose another name"))
    elif not is_legal_topic(plain):
        findings.append(_wrong("makes no legal topic name", _CHARACTERS + ", and are not '.' or '..'"))
    return findings


def _variables_in(template: str, values: Mapping[str, object]) -> list[str]:
    names = dict.fromkeys(_FIELD.findall(template))
    return [name for name in names if _text(values.get(name)) is not None]


def _text(value: object) -> str | None:
    """A variable's value as it stands in a topic; ``None`` where it is none that can."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (str, int)) else None


def _unknown(field: str, names: list[str]) -> Finding:
    what = f"{{{field}}} is neither a variable nor a row field named in key or headers"
    near = did_you_mean(field, names) if "." not in field or len(names) > 12 else None
    remedy = near or f"name it in headers too (headers: {{{field.split('.')[-1].lower()}: {field}}})"
    return _wrong(what, remedy)


def _wrong(message: str, remedy: str) -> Finding:
    return Finding(key="topic", message=message, remedy=remedy)
