"""What the offsets commands take, and what they print."""

from __future__ import annotations

import json
import time

import pytest

from connector.cli.offset_tables import as_json, text_of
from connector.cli.offsets import _chosen, _moment
from connector.errors import ConfigError
from connector.kafka import KafkaSettings
from connector.publish.offsets import OffsetRecord, OffsetsTopic, OpenRange, StoredOffset, StoredOffsets
from connector.wiring.offset_commands import OffsetsDesk


async def desk() -> OffsetsDesk:
    kafka = KafkaSettings(bootstrap_servers="a:1", client_id="c")
    store = OffsetsTopic(kafka, connector="c", tasks=1, replication_factor=None)
    stored = StoredOffsets("c")
    record = OffsetRecord(covered_until=1_700_000_000_123, open=(OpenRange(since=5, reason="closed"),))
    stored.offsets = {"gone": StoredOffset(partition=0, record=record, written_ms=7)}
    return OffsetsDesk(store, stored, tasks=1, configured=["s"])


def test_a_moment_is_now_or_a_time_with_its_zone() -> None:
    assert _moment("2024-01-01T00:00:00Z") == 1_704_067_200_000
    assert _moment("2024-01-01T02:00:00.5+02:00") == 1_704_067_200_500
    assert abs(_moment("now") - time.time() * 1000) < 5000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no time"),
        ("yesterday", "is no time"),
        ("5", "is no time"),
        ("2024-01-01T00:00:00", "has no time zone"),
        ("2024-01-01", "has no time zone"),
        ("2999-01-01T00:00:00Z", "still to come"),
        ("1969-01-01T00:00:00Z", "before 1970"),
    ],
)
def test_what_is_no_moment_is_refused_with_the_remedy(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        _moment(text)


async def test_offsets_are_chosen_by_name_or_all_of_them() -> None:
    one = await desk()
    assert _chosen(one, ["gone", "gone"], every=False) == ["gone"]
    assert _chosen(one, [], every=True) == ["s", "gone"]
    for names, every in (([], False), (["s"], True)):
        with pytest.raises(ConfigError, match="give either --subscription NAME or --all"):
            _chosen(one, names, every=every)
    with pytest.raises(ConfigError, match="name one of: s, gone"):
        _chosen(one, ["other"], every=False)


async def test_what_is_configured_and_what_is_left_is_listed() -> None:
    found = json.loads(as_json(await desk()))
    assert found["topic"] == "c.offsets"
    (configured, left) = found["offsets"]
    assert (configured["subscription"], configured["configured"], configured["covered_until"]) == (
        "s",
        True,
        None,
    )
    assert (left["subscription"], left["configured"], left["task"]) == ("gone", False, 0)
    assert (left["covered_until"], left["written_at"]) == (1_700_000_000_123, 7)
    assert left["open"] == [{"since": 5, "until": None, "state": "open", "reason": "closed"}]
    assert left["age_seconds"] > 0


def test_times_are_utc() -> None:
    assert text_of(1_704_067_200_500) == "2024-01-01T00:00:00.500Z"
