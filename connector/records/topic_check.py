"""A topic template against the variables and the row fields that may stand in it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from connector.records.findings import did_you_mean
from connector.records.paths import dotted
from connector.records.plan import Finding, SubscriptionWish
from connector.records.topics import is_legal_topic

_FIELD = re.compile(r"\{([^{}]*)\}")
_PATH = re.compile(r"[_A-Za-z][_0-9A-Za-z]*(\.[_A-Za-z][_0-9A-Za-z]*)*")
_KAFKA_OWN = ("__consumer_offsets", "__transaction_state")

_CHARACTERS = "topic names hold 1 to 249 of a-z A-Z 0-9 . _ -"


def fill_variables(template: str, values: Mapping[str, object], unchecked: frozenset[str]) -> str:
    """
    Put variables in their places; what is left in braces are row fields.

    A variable whose value is not known yet (``unchecked``) becomes an ``x``.
    """

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if name in unchecked:
            return "x"
        value = values.get(name)
        if isinstance(value, bool):
            return str(value).lower()
        return str(value) if isinstance(value, (str, int)) else match[0]

    return _FIELD.sub(fill, template)


def check_topic(topic: str, wish: SubscriptionWish) -> list[Finding]:
    """What is wrong with a template whose variables have been filled in."""
    named = {dotted(path) for path in (*wish.key, *(path for _, path in wish.headers))}
    findings = []
    for field in _FIELD.findall(topic):
        if not _PATH.fullmatch(field):
            findings.append(_wrong("has braces that hold no name", "write {variable} or {Row.Field}"))
        elif field not in named:
            findings.append(_unknown(field, [*wish.variables, *sorted(named)]))
    plain = _FIELD.sub("x", topic)
    if plain in _KAFKA_OWN:
        findings.append(_wrong("is one of Kafka's own topics", "choose another name"))
    elif not is_legal_topic(plain):
        findings.append(_wrong("makes no legal topic name", _CHARACTERS + ", and are not '.' or '..'"))
    return findings


def _unknown(field: str, names: list[str]) -> Finding:
    what = f"{{{field}}} is neither a variable nor a row field named in key or headers"
    near = did_you_mean(field, names) if "." not in field or len(names) > 12 else None
    remedy = near or f"name it in headers too (headers: {{{field.split('.')[-1].lower()}: {field}}})"
    return _wrong(what, remedy)


def _wrong(message: str, remedy: str) -> Finding:
    return Finding(key="topic", message=message, remedy=remedy)
