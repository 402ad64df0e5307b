"""What is written is what the schema says, and the file is what the declaration says."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connector.publish.event_schema import event_schema, schema_text
from connector.publish.gap_event import EventKind, EventOrigin, Gap, GapEvent, compose

jsonschema: Any = import_module("jsonschema")  # it has no types

FILE = Path(__file__).parents[3] / "schemas/event.schema.json"
ORIGIN = EventOrigin(connector="dex", subscription="bsc-trades")
OPENED = Gap(id="a", since_ms=1, reason="closed")
OVER = Gap(id="a", since_ms=1, until_ms=2, reason="closed", rows=3)


def written(kind: EventKind, gap: Gap) -> dict[str, Any]:
    _, value, _, _ = compose(kind, gap, ORIGIN)
    found: dict[str, Any] = msgspec.json.decode(value)
    return found


def check(event: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(msgspec.json.decode(FILE.read_bytes())).validate(event)


def test_the_file_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf-8") == schema_text()


def test_the_schema_is_one_and_describes_every_field() -> None:
    jsonschema.Draft202012Validator.check_schema(event_schema())
    properties = event_schema()["properties"]
    assert list(properties) == list(GapEvent.__struct_fields__) == event_schema()["required"]
    assert all(field["description"] for field in properties.values())


@pytest.mark.parametrize(
    ("kind", "gap"),
    [
        ("gap_opened", OPENED),
        ("gap_unfilled", OVER),
        ("gap_unfilled", Gap(id="a", since_ms=1, until_ms=2, reason="closed")),
        ("gap_filled", Gap(id="a", since_ms=1, until_ms=2, reason="closed", rows=0)),
    ],
)
def test_what_is_written_is_as_the_schema_says(kind: EventKind, gap: Gap) -> None:
    check(written(kind, gap))


@pytest.mark.parametrize(
    "change",
    [
        {"event": "gap_closed"},
        {"version": 2},
        {"until": None},
        {"since": "2026-12-01T00:00:00Z"},
        {"since": None},
        {"rows_missed": -1},
        {"id": ""},
        {"reason": None},
        {"event": "gap_opened"},
    ],
    ids=str,
)
def test_what_is_not_written_is_refused(change: dict[str, Any]) -> None:
    event = written("gap_unfilled", OVER)
    check(event)
    with pytest.raises(jsonschema.ValidationError):
        check({**event, **change})


@pytest.mark.parametrize("field", GapEvent.__struct_fields__)
def test_no_field_may_be_missing(field: str) -> None:
    event = written("gap_unfilled", OVER)
    del event[field]
    with pytest.raises(jsonschema.ValidationError):
        check(event)


def test_fields_may_be_added() -> None:
    check({**written("gap_opened", OPENED), "outcome": "later"})
