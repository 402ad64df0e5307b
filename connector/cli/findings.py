"""What a check found, for people and for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping

from connector.cli.validate import PIPED_WIDTH
from connector.probe import Finding, Outcome, Report
from connector.telemetry import printable

STYLES: Mapping[Outcome, str] = {
    "ok": "green",
    "refused": "bold red",
    "missing": "bold red",
    "failed": "red",
    "not checked": "yellow",
    "not needed": "dim",
}
WORDS = {0: "ok", 3: "failed", 4: "refused"}

NOT_LOOKED_AT = (
    "whether the endpoint takes the documents, and lets this token subscribe: no operation was sent, "
    "since it would be billed",
    "whether rows come, and hold what topic, key, timestamp and headers name",
    "whether the plan allows as many sessions as there are subscriptions: one was opened, and their streams "
    "compared with endpoint.max_streams where that is given",
    "whether a record's size fits: nothing was published",
)
"""What no check asks, whatever the outcome; `connector tail` shows the first two."""

Redact = Callable[[str], str]


def as_table(report: Report, title: str, redact: Redact) -> None:
    """Print a table to stdout, and a line that sums it up."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    def text(said: str, style: str = "") -> Text:
        return Text(printable(redact(said)), style=style)

    out = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
    table = Table(title=text(title), title_justify="left")
    for column in ("what", "check", "outcome", "detail"):
        table.add_column(column, overflow="fold")
    before = ""
    for one in report.findings:
        what = f"{one.area} {one.subject}" if one.subject != one.area else one.area
        is_plain = one.needed or one.outcome in ("ok", "not needed")
        outcome = text(one.outcome if is_plain else f"{one.outcome} (optional)", STYLES[one.outcome])
        table.add_row(text("" if what == before else what), text(one.check), outcome, text(_detail(one)))
        before = what
    out.print(table)
    out.print(text(summary(report)))
    out.print(text("not looked at:"))
    for what in NOT_LOOKED_AT:
        out.print(text(f"  - {what}"))
    sys.stdout.flush()


def _detail(one: Finding) -> str:
    parts = [one.detail or (f"by {one.how}" if one.how else "")]
    if one.remedy:
        parts.append(f"→ {one.remedy}")
    return " ".join(part for part in parts if part)


def summary(report: Report) -> str:
    """Return in a sentence what came of it."""
    unchecked = report.unchecked
    more = f"; {unchecked} not checked, which is not the same as ok" if unchecked else ""
    if report.is_refused:
        return f"refused: credentials or a right are missing{more}"
    if report.is_failed:
        return f"failed: something cannot be reached or used{more}"
    what = "nothing that was checked" if unchecked else "nothing"
    return f"{what} stands in the way{more}; nothing was published or subscribed"


def put(line: str) -> None:
    """Print one line to stdout."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def as_json(report: Report, name: str, code: int, redact: Redact) -> str:
    """Return one line of JSON."""
    document = {
        "name": name,
        "outcome": WORDS[code],
        "exit_code": code,
        "checks": [_object(one) for one in report.findings],
        "not_looked_at": list(NOT_LOOKED_AT),
    }
    return redacted_json(document, redact)


def _object(one: Finding) -> dict[str, object]:
    return {
        "area": one.area,
        "subject": one.subject,
        "check": one.check,
        "outcome": one.outcome,
        "needed": one.needed,
        "detail": one.detail or None,
        "remedy": one.remedy or None,
        "how": one.how or None,
        **one.facts,
    }


def redacted_json(value: object, redact: Redact) -> str:
    """Return ``value`` as JSON; texts are redacted one by one, so that it stays JSON."""

    def clean(value: object) -> object:
        if isinstance(value, str):
            return redact(value)
        if isinstance(value, Mapping):
            return {key: clean(below) for key, below in value.items()}
        if isinstance(value, list | tuple):
            return [clean(below) for below in value]
        return value

    return json.dumps(clean(value))
