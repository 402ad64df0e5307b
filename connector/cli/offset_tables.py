"""Offsets for people and for machines."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime

from connector.publish.offsets import StoredOffset
from connector.telemetry import printable
from connector.wiring.offset_commands import OffsetsDesk


def text_of(ms: int) -> str:
    """Return unix ms as people read it, in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def as_json(desk: OffsetsDesk) -> str:
    """Return one line of JSON; times are unix ms, ``null`` where there is no offset."""
    return json.dumps(
        {
            "topic": desk.topic,
            "offsets": [_object(desk, name, desk.offsets.get(name)) for name in desk.names],
        }
    )


def _object(desk: OffsetsDesk, name: str, stored: StoredOffset | None) -> dict[str, object]:
    return {
        "subscription": name,
        "task": desk.task_of(name) if stored is None else stored.partition,
        "configured": desk.is_configured(name),
        "covered_until": None if stored is None else stored.record.covered_until,
        "age_seconds": None if stored is None else _age(stored),
        "written_at": None if stored is None else stored.written_ms,
        "open": []
        if stored is None
        else [
            {"since": one.since, "until": one.until, "state": one.state, "reason": one.reason}
            for one in stored.record.open
        ],
    }


def _age(stored: StoredOffset) -> float:
    return round(max(0.0, time.time() - stored.record.covered_until / 1000), 3)


def as_table(desk: OffsetsDesk, title: str) -> None:
    """Print a table to stdout."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(printable(title)), title_justify="left")
    for column in ("subscription", "task", "covered until", "age", "open ranges"):
        table.add_column(column, overflow="fold")
    for name in desk.names:
        stored = desk.offsets.get(name)
        called = name if desk.is_configured(name) else f"{name} (not configured)"
        if stored is None:
            cells = [called, str(desk.task_of(name)), "no offset", "", ""]
        else:
            ranges = "\n".join(
                f"{text_of(one.since)} to {'now' if one.until is None else text_of(one.until)}: {one.reason}"
                for one in stored.record.open
            )
            cells = [
                called,
                str(stored.partition),
                text_of(stored.record.covered_until),
                _span(_age(stored)),
                ranges or "none",
            ]
        table.add_row(*(Text(printable(cell)) for cell in cells))
    Console(file=sys.stdout, highlight=False).print(table)
    sys.stdout.flush()


def _span(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"
