"""What a configuration comes to, for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from connector.config import Outline
from connector.records.dedup import DedupWindow
from connector.records.plan import FieldPath, SubscriptionPlan
from connector.upstream import IdentityKind

_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_NOTHING = "none"
_EXACT_BELOW = 10
"""Rows a second below which parts of one count."""

COLUMNS = ("subscription", "rows", "topic", "key", "timestamp", "streams")
"""What of a subscription goes into `row`."""

IDENTITY_COLUMNS = ("subscription", "identity", "kind", "cursor", "repeats")
"""The same of `identity_row`."""


def row(plan: SubscriptionPlan) -> Sequence[str]:
    """Return where rows come from and what becomes of them."""
    return (
        plan.name,
        _dotted(plan.rows),
        plan.topic,
        _list(plan.key),
        _dotted(plan.timestamp) if plan.timestamp else "received",
        str(plan.cubes),
    )


def identity_row(plan: SubscriptionPlan) -> Sequence[str]:
    """Return what rows are known by, and for how long."""
    return (
        plan.name,
        _list(plan.identity.fields) if plan.identity else _NOTHING,
        plan.identity.kind if plan.identity else "",
        _dotted(plan.cursor) if plan.cursor else _NOTHING,
        _repeats(plan),
    )


def _repeats(plan: SubscriptionPlan) -> str:
    if plan.dedup is None or plan.identity is None:
        return "published"
    rate = plan.dedup.rows_per_second(plan.identity.kind)
    up_to = f"{int(rate):,}" if rate >= _EXACT_BELOW else f"{rate:.2g}"
    return f"dropped for {duration(plan.dedup.seconds)}; at more than {up_to} rows/s for less"


def notes(plan: SubscriptionPlan) -> Iterator[str]:
    """Yield what is no mistake and good to know: which fields are added, and which are lacking."""
    if plan.added:
        yield f"{_list(plan.added)} is added to the document's rows"
    for lack in plan.lacks:
        yield f"no {lack.key}: {lack.message}; {lack.remedy}"


def duration(seconds: float) -> str:
    """Return ``seconds`` as a configuration has them: ``1h30m``."""
    if seconds != int(seconds):
        return f"{seconds:g}s"
    text, left = "", int(seconds)
    for unit, length in _UNITS:
        count, left = divmod(left, length)
        text += f"{count}{unit}" if count else ""
    return text


def as_json(outline: Outline, code: int) -> str:
    """Return one line of JSON."""
    document = {
        "name": outline.name,
        "outcome": "ok",
        "exit_code": code,
        "subscriptions": [_object(plan) for plan in outline.plans],
        "warnings": list(outline.warnings),
    }
    return json.dumps(document)


def _object(plan: SubscriptionPlan) -> dict[str, object]:
    identity = plan.identity
    return {
        "name": plan.name,
        "rows": _dotted(plan.rows),
        "topic": plan.topic,
        "key": [_dotted(path) for path in plan.key],
        "timestamp": _dotted(plan.timestamp) if plan.timestamp else None,
        "streams": plan.cubes,
        "identity": _identity(plan),
        "cursor": _dotted(plan.cursor) if plan.cursor else None,
        "dedup": _dedup(plan.dedup, identity.kind) if plan.dedup and identity else None,
        "added": [_dotted(path) for path in plan.added],
        "lacks": [{"key": one.key, "message": one.message, "remedy": one.remedy} for one in plan.lacks],
        "warnings": list(plan.warnings),
    }


def _identity(plan: SubscriptionPlan) -> dict[str, object] | None:
    if plan.identity is None:
        return None
    return {"fields": [_dotted(path) for path in plan.identity.fields], "kind": plan.identity.kind}


def _dedup(window: DedupWindow, kind: IdentityKind) -> dict[str, object]:
    return {
        "window_seconds": window.seconds,
        "max_bytes": window.max_bytes,
        "rows_per_second": round(window.rows_per_second(kind), 1),
    }


def _dotted(path: FieldPath) -> str:
    return ".".join(path)


def _list(paths: Sequence[FieldPath]) -> str:
    return ", ".join(map(_dotted, paths)) or _NOTHING
