"""Metrics, states, reasons and log lines, as the code has them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from connector.refusals import PROVIDERS, RULES
from connector.task import State
from connector.telemetry import Metrics
from tests.docs.markdown import Page

_METRIC = re.compile(r"(?<![\w/])(connector_[a-z_]*[a-z])(?![\w*(])(?:\{([^}]*)\})?")
_LOGGERS = re.compile(r"\b_?log\b|\bloud\b")
_LOG_TABLE = "## Log lines"


@cache
def metrics() -> dict[str, frozenset[str]]:
    """Every name that a query may use, with its labels."""
    found: dict[str, frozenset[str]] = {}
    all_metrics = Metrics(version="")
    labels = {
        metric._name: frozenset(metric._labelnames)
        for metric in vars(all_metrics).values()
        if hasattr(metric, "_labelnames")
    }
    for family in all_metrics.registry.collect():
        known = labels.get(family.name, frozenset())
        match family.type:
            case "counter":
                found[f"{family.name}_total"] = known
            case "histogram":
                found |= {family.name: known, f"{family.name}_bucket": known | {"le"}}
                found |= {f"{family.name}_sum": known, f"{family.name}_count": known}
            case _:
                found[family.name] = known
    return {name: known for name, known in found.items() if name.startswith("connector_")}


def wrong_metrics(line: str) -> Iterator[str]:
    """Say which metrics of a line do not exist, or have no such labels."""
    for name, labels in _METRIC.findall(line):
        if name not in metrics():
            yield f"there is no metric {name}"
            continue
        for part in filter(None, labels.split(",")):
            label = re.split(r"[=!]", part.strip())[0]
            if label not in metrics()[name]:
                yield f"{name} has no label {label}"


def reasons() -> set[str]:
    """Every ``reason`` of `connector_reconnects_total` that the code can give."""
    own = {"reopen", "reload", "shed", "unknown"}
    return own | {rule.reason for rules in (RULES, *PROVIDERS.values()) for rule in rules}


@cache
def log_events(root: Path) -> frozenset[str]:
    """What the connector logs above DEBUG, by the literals in its code; the demo logs nothing."""
    found: set[str] = set()
    for node in _code(root):
        if isinstance(node, ast.Call) and node.args and _is_log(node.func):
            found |= set(_literals(node.args[0]))
    return frozenset(found)


def _code(root: Path) -> Iterator[ast.AST]:
    for path in (root / "connector").rglob("*.py"):
        if "demo" not in path.parts:
            yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def _is_log(function: ast.expr) -> bool:
    text = ast.unparse(function)
    return bool(_LOGGERS.search(text)) and not text.endswith((".debug", ".setLevel", ".getLogger"))


def _literals(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)


def left_out(page: Page) -> Iterator[str]:
    """Say what ``page``, which is to tell all, leaves out, and which log lines it tells of that are none."""
    spans = {span.text for span in page.spans()}
    # One name stands for a histogram's three series.
    names = {name for name in metrics() if not re.search(r"_seconds_(bucket|sum|count)$", name)}
    said = {name for name, _ in _METRIC.findall(page.text)}
    refusals = Page.read(page.root, page.root / "docs/refusals.md")
    yield from (f"leaves out the metric {name}" for name in sorted(names - said))
    yield from (f"leaves out the state {state}" for state in State if state.value not in spans)
    # The page of refusals, which is made from the code, tells the others.
    told_there = {span.text for span in refusals.spans()}
    yield from (f"leaves out the reason {reason}" for reason in sorted(reasons() - spans - told_there))
    told = set(re.findall(r"^\| `([^`]+)` ", page.text.partition(_LOG_TABLE)[2].partition("\n## ")[0], re.M))
    events = log_events(page.root)
    yield from (f"leaves out the log line {event!r}" for event in sorted(events - told))
    # Some lines are chosen before they are logged, so any text of the code will do here.
    texts = {text for node in _code(page.root) if isinstance(node, ast.Constant) for text in _literals(node)}
    yield from (f"tells of {event!r}, which is never logged" for event in sorted(told - texts))
