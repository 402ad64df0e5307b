"""
The JSON Schema of what the events topic holds, made from its declaration.

``python -m connector.publish.event_schema`` writes it to stdout; with ``--check FILE`` it says whether
``FILE`` is up to date (exit code 1 where it is not).
"""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec

from connector.generated import write_or_check
from connector.publish.gap_event import GapEvent

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def event_schema() -> dict[str, Any]:
    """The schema of a record's value."""
    schema = msgspec.json.schema(GapEvent)["$defs"]["GapEvent"]
    schema["description"] = " ".join(schema["description"].split())
    is_opened = {"properties": {"event": {"const": "gap_opened"}}}
    never_over = {"properties": {"until": {"type": "null"}, "rows_missed": {"type": "null"}}}
    over = {"properties": {"until": {"type": "integer"}}}
    return {"$schema": DRAFT, **schema, "title": "Event", "if": is_opened, "then": never_over, "else": over}


def schema_text() -> str:
    """Return it as the file holds it."""
    return json.dumps(event_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(write_or_check(sys.argv[1:], schema_text))
