"""A thousand odd results: from the protocol machine through the receiver into the inbox, and as records."""

from __future__ import annotations

import asyncio
import json

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.records.record_builder import RecordBuilder
from connector.records.record_spec import RecordSpec
from connector.records.topics import TopicTemplate
from connector.subscription import ProtocolViolation, ServerRefused, read_errors
from tests.fuzz.strategies import EXAMPLES, JSON
from tests.unit.task.receiving import Desk

ROWS = st.lists(st.dictionaries(st.sampled_from(["k", "t", "b"]), JSON, max_size=3) | JSON, max_size=4) | JSON
DATA = (
    st.fixed_dictionaries({"EVM": st.fixed_dictionaries({"Trades": ROWS}) | JSON})
    | st.fixed_dictionaries({"type": st.just("error"), "payload": JSON})
    | JSON
)
PAYLOADS = st.fixed_dictionaries({}, optional={"data": DATA, "errors": JSON, "extensions": JSON})


def rows_in(payload: dict[str, object]) -> list[object] | None:
    """Return the rows of ``payload`` as another JSON library sees them."""
    node: object = payload.get("data")
    for name in ("EVM", "Trades"):
        node = node.get(name) if isinstance(node, dict) else None
    if node is None:
        return None
    return node if isinstance(node, list) else [node]


@settings(max_examples=EXAMPLES)
@given(PAYLOADS, st.sampled_from(["t", "t.{b}"]))
def test_every_row_of_any_result_becomes_a_record_or_is_named(
    loop: asyncio.Runner, payload: dict[str, object], topic: str
) -> None:
    desk, expected = Desk(), rows_in(payload)
    written = json.dumps(payload)
    try:
        has_rows = desk.receive(written)
    except ServerRefused:
        assert not expected  # rows outrank what else is said
        return
    except ProtocolViolation:
        assert expected is None  # it is named, and its session ends
        return
    # An empty list beside errors is no sign that the stream goes on.
    has_failed = expected == [] and bool(read_errors(msgspec.Raw(json.dumps(payload.get("errors")))))
    assert has_rows is (expected is not None and not has_failed)
    rows = [msgspec.Raw(row) for row in loop.run(desk.rows())]
    assert [json.loads(bytes(row)) for row in rows] == [_as_it_came(row) for row in expected or []]
    builder = RecordBuilder(
        RecordSpec(
            topic=TopicTemplate(topic, {}),
            key=(("k",), ("b",)),
            timestamp=("t",),
            headers=(("h", ("b",)),),
        )
    )
    built = builder.build(rows, [])
    published = [bytes(record[1]) for records in built.topics.values() for record in records]
    failed = [bytes(bad.value) for bad in built.failed]
    assert sorted([*published, *failed]) == sorted(bytes(row) for row in rows)


def _as_it_came(value: object) -> object:
    """Return ``value`` with U+FFFD for what is no character, which msgspec would not take."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_as_it_came(one) for one in value]
    if isinstance(value, dict):
        return {_as_it_came(name): _as_it_came(one) for name, one in value.items()}
    return value
