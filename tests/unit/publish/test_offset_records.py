"""Records of offsets: what is written is read back, and nothing else is taken for one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from connector.kafka import StoredRecord
from connector.publish.offsets import OffsetRecord, OpenRange, StoredOffsets, bounded
from connector.publish.offsets.record import (
    MOST_BYTES,
    MOST_RANGES,
    NewerFormat,
    Unreadable,
    decode_key,
    decode_value,
    encode_key,
    encode_value,
)
from connector.publish.offsets.verdict import wrong_partitions, wrong_policy

MOMENTS = st.integers(0, 2**45)


@st.composite
def ranges(draw: st.DrawFn) -> OpenRange:
    since = draw(st.integers(0, 400))
    until = (
        draw(st.integers(since, since + 30) | st.integers(since, 500)) if draw(st.integers(0, 9)) else None
    )
    return OpenRange(since=since, until=until, reason=draw(st.sampled_from(["closed", "refused", "absence"])))


def covers(open_ranges: tuple[OpenRange, ...], moment: int) -> bool:
    return any(one.since <= moment and (one.until is None or moment <= one.until) for one in open_ranges)


@given(st.lists(ranges(), max_size=12), st.integers(1, 5))
def test_however_few_ranges_are_kept_no_moment_is_forgotten(given_ranges: list[OpenRange], most: int) -> None:
    kept = bounded(given_ranges, most)
    assert len(kept) <= most
    assert list(kept) == sorted(kept, key=lambda one: one.since)
    for moment in range(501):
        if covers(tuple(given_ranges), moment):
            assert covers(kept, moment)
    if len(bounded(given_ranges, 1000)) <= most:
        assert all(covers(tuple(given_ranges), m) or not covers(kept, m) for m in range(501))


@given(MOMENTS, st.lists(ranges(), max_size=3))
def test_what_is_written_is_read_back(covered_until: int, open_ranges: list[OpenRange]) -> None:
    record = OffsetRecord(covered_until=covered_until, open=bounded(open_ranges))
    assert decode_value(encode_value(record)) == record


def test_a_record_looks_as_documented() -> None:
    record = OffsetRecord(covered_until=1_700_000_000_123, open=(OpenRange(since=5, reason="closed"),))
    assert json.loads(encode_value(record)) == {
        "version": 1,
        "covered_until": 1_700_000_000_123,
        "open": [{"since": 5, "until": None, "state": "open", "reason": "closed", "id": None}],
    }
    assert encode_key("dex", "bsc-trades") == b'["dex",{"subscription":"bsc-trades"}]'
    assert decode_key(b'["dex",{"subscription":"bsc-trades"}]') == ("dex", "bsc-trades")
    assert decode_key(b'["dex", {"task": 0}]') == ("dex", None)


def test_more_ranges_than_a_record_holds_are_joined_in_it() -> None:
    many = [OpenRange(since=10 * number, until=10 * number + 1) for number in range(10 * MOST_RANGES)]
    value = encode_value(OffsetRecord(covered_until=0, open=tuple(many)))
    assert len(decode_value(value).open) == MOST_RANGES
    assert len(value) < MOST_BYTES


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"rubbish",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b'{"version": 1}',
        b'{"version": 0, "covered_until": 1}',
        b'{"version": "1", "covered_until": 1}',
        b'{"version": 1, "covered_until": -1}',
        b'{"version": 1, "covered_until": 1.5}',
        b'{"version": 1, "covered_until": 1e300}',
        b'{"version": 1, "covered_until": 1, "open": [{"until": 5}]}',
        b'{"version": 1, "covered_until": 1, "open": [{"since": 5, "until": 4}]}',
        b'{"version": 1, "covered_until": 1, "open": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"version": 1, "covered_until": 1}' + b" " * MOST_BYTES,
    ],
)
def test_rubbish_is_no_record(value: bytes) -> None:
    with pytest.raises(Unreadable):
        decode_value(value)


@pytest.mark.parametrize(
    "key",
    [None, b"", b"x", b"[]", b'["c"]', b'["c",{}, 1]', b'[1,{"subscription":"s"}]', b'["c","s"]', b"\xff"],
)
def test_rubbish_is_no_key(key: bytes | None) -> None:
    with pytest.raises(Unreadable):
        decode_key(key)


def test_a_newer_version_is_told_from_rubbish() -> None:
    with pytest.raises(NewerFormat) as caught:
        decode_value(b'{"version": 7, "covered": {"until": "then"}}')
    assert caught.value.version == 7


def stored(key: bytes | None, value: bytes | None, written_ms: int = 1) -> StoredRecord:
    return StoredRecord(partition=0, key=key, value=value, timestamp_ms=written_ms)


def taken(*records: StoredRecord) -> StoredOffsets:
    found = StoredOffsets("c")
    for record in records:
        found.take(record)
    return found


VALUE = b'{"version": 1, "covered_until": %d}'
NEWER = b'{"version": 2}'
S = encode_key("c", "s")


def test_the_last_record_of_a_subscription_counts() -> None:
    found = taken(stored(S, VALUE % 1, 10), stored(S, VALUE % 2, 20))
    assert {name: one.record.covered_until for name, one in found.offsets.items()} == {"s": 2}
    assert (found.offsets["s"].written_ms, found.last_written_ms) == (20, 20)
    assert taken(stored(S, VALUE % 1), stored(S, None)).offsets == {}


def test_what_is_not_ours_is_counted_in_one_warning() -> None:
    found = taken(
        stored(encode_key("other", "s"), VALUE % 9),
        stored(encode_key("other", "t"), None),
        stored(encode_key("other", "u"), NEWER),
        stored(b"rubbish", b"rubbish"),
        stored(None, VALUE % 9),
        stored(S, b"rubbish"),
        stored(encode_key("c", "t"), VALUE % 3),
    )
    assert set(found.offsets) == {"t"}
    assert found.newer is None
    with capture_logs() as lines:
        found.warn("c.offsets")
        taken(stored(S, VALUE % 1)).warn("c.offsets")
    (line,) = lines
    assert (line["of_other_connectors"], line["unreadable"]) == (3, 3)


def test_rubbish_after_a_record_does_not_take_it_away() -> None:
    found = taken(stored(S, VALUE % 5), stored(S, b"rubbish"))
    assert found.offsets["s"].record.covered_until == 5


def test_a_newer_version_counts_where_it_is_the_last_word() -> None:
    assert taken(stored(S, VALUE % 1), stored(S, NEWER)).newer == 2
    assert taken(stored(b'["c",{"task":0}]', NEWER)).newer == 2
    assert taken(stored(S, NEWER), stored(S, VALUE % 1)).newer is None
    assert taken(stored(S, NEWER), stored(S, None)).newer is None


@pytest.mark.parametrize("policy", ["delete", "compact,delete", "delete,compact", ""])
def test_only_compaction_keeps_offsets(policy: str) -> None:
    verdict = wrong_policy({"cleanup.policy": policy})
    assert verdict is not None
    assert "cleanup.policy=compact" in verdict[1]


def test_a_policy_that_is_right_or_not_told_is_no_reason_to_refuse() -> None:
    assert wrong_policy({"cleanup.policy": "compact"}) is None
    assert wrong_policy({}) is None


def test_another_number_of_partitions_is_refused_with_both_numbers() -> None:
    assert wrong_partitions(2, 2) is None
    verdict = wrong_partitions(1, 3)
    assert verdict is not None
    assert "1 partition," in verdict[0]
    assert "tasks is 3" in verdict[0]
    assert "tasks to 1" in verdict[1]
