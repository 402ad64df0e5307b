"""What a dead letter looks like, and what is left of it where little fits."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import DataError
from connector.kafka import ContentRefused
from connector.publish.dead_letter_record import MAX_TEXT, DeadLetterOrigin, compose
from connector.publish.size import weight
from connector.records.bad import BadRecord, Stage, Unconvertible
from connector.records.record_builder import RecordBuilder
from tests.unit.publish.rows import bad_row

ORIGIN = DeadLetterOrigin(connector="dex", task=3)
USUAL = [("connector", b"dex"), ("subscription", b"bsc"), ("received_at", b"1700000000000")]


def refused(**known: Any) -> BadRecord:
    error = ContentRefused("too_large", "topic t refuses a row of 9 bytes: larger than it allows")
    return bad_row(b'{"a":1.50}', error, **{"headers": USUAL, "topic": "t", "partition": 2, **known})


def test_its_value_is_the_rows_bytes_and_its_headers_are_those_of_kafka_connect() -> None:
    record = refused(key=b"k", headers=[*USUAL, ("block", b"7")])
    key, value, moment, headers = compose(record, ORIGIN, most=None)
    assert (key, moment) == (b"k", None)
    assert value is record.value
    assert headers == [
        *USUAL,
        ("block", b"7"),
        ("__connect.errors.topic", b"t"),
        ("__connect.errors.partition", b"2"),
        ("__connect.errors.connector.name", b"dex"),
        ("__connect.errors.task.id", b"3"),
        ("__connect.errors.stage", b"KAFKA_PRODUCE"),
        ("__connect.errors.class.name", b"connector.publish.partition_sender.PartitionSender"),
        ("__connect.errors.exception.class.name", b"connector.kafka.errors.ContentRefused"),
        (
            "__connect.errors.exception.message",
            b"topic t refuses a row of 9 bytes: larger than it allows",
        ),
    ]
    assert record.headers[-1] == ("block", b"7")  # rows share them


def test_what_is_not_known_is_left_out() -> None:
    record = BadRecord(
        error=Unconvertible("the key is not text", Stage.KEY),
        stage=Stage.KEY,
        executing_class=RecordBuilder,
        value=b"x",
        headers=USUAL,
    )
    key, _, _, headers = compose(record, ORIGIN, most=None)
    names = [name for name, _ in headers]
    assert key is None
    assert "__connect.errors.topic" not in names
    assert "__connect.errors.partition" not in names
    assert "event_time" not in names
    assert dict(headers)["__connect.errors.stage"] == b"KEY_CONVERTER"
    assert dict(headers)["__connect.errors.class.name"] == b"connector.records.record_builder.RecordBuilder"


@pytest.mark.parametrize(
    ("moment", "headers", "expected"),
    [
        (1_600_000_000_000, USUAL, [b"1600000000000"]),
        (1_700_000_000_000, USUAL, []),  # its arrival
        (None, USUAL, []),
        (1_700_000_000_001, [*USUAL, ("event_time", b'"long ago"')], [b'"long ago"']),
    ],
)
def test_an_event_time_goes_into_a_header(
    moment: int | None, headers: list[tuple[str, bytes]], expected: list[bytes]
) -> None:
    _, _, stamp, found = compose(refused(timestamp=moment, headers=headers), ORIGIN, most=None)
    assert stamp is None
    assert [content for name, content in found if name == "event_time"] == expected


def test_a_long_message_is_cut() -> None:
    record = bad_row(b"x", DataError("é" * 5000))
    _, _, _, headers = compose(record, ORIGIN, most=None)
    assert dict(headers)["__connect.errors.exception.message"] == "é".encode() * MAX_TEXT


def test_a_value_that_does_not_fit_is_cut_and_told_of() -> None:
    whole = bytes(range(256)) * 100
    record = bad_row(whole, key=b"k", headers=USUAL)
    key, value, _, headers = compose(record, ORIGIN, most=5000)
    assert key == b"k"
    assert whole.startswith(bytes(value))
    assert len(value) > 3500
    assert weight(key, headers) + len(value) == 5000
    assert dict(headers)["original_bytes"] == b"25600"
    assert dict(headers)["original_sha256"] == hashlib.sha256(whole).hexdigest().encode()
    assert dict(headers)["connector"] == b"dex"


def test_what_just_fits_is_whole() -> None:
    record = bad_row(b"x" * 1000, key=b"k", headers=USUAL)
    key, value, _, headers = compose(record, ORIGIN, most=None)
    size = weight(key, headers) + len(value)
    assert compose(record, ORIGIN, most=size) == (key, value, None, headers)
    assert len(compose(record, ORIGIN, most=size - 1)[1]) < 1000


def test_headers_of_its_own_and_a_long_key_make_room_for_the_value() -> None:
    own = [(f"h{number}", b"v" * 100) for number in range(50)]
    record = bad_row(b"x" * 3000, key=b"k" * 3000, headers=[*USUAL, *own])
    key, value, _, headers = compose(record, ORIGIN, most=5000)
    assert key is None
    assert value == b"x" * 3000
    assert not {name for name, _ in headers} & {name for name, _ in own}
    assert dict(headers)["subscription"] == b"bsc"
    assert "original_bytes" not in dict(headers)


def test_at_least_half_of_the_room_is_for_the_value() -> None:
    own = [("h", b"v" * 3000)]
    record = bad_row(b"x" * 10_000, headers=[*USUAL, *own])
    _, value, _, headers = compose(record, ORIGIN, most=5000)
    assert len(value) > 2500
    assert "h" not in dict(headers)
    assert dict(compose(record, ORIGIN, most=9000)[3])["h"] == b"v" * 3000


@given(
    value=st.binary(max_size=3000),
    key=st.none() | st.binary(max_size=3000),
    own=st.lists(st.tuples(st.text(max_size=200), st.binary(max_size=500)), max_size=8),
    most=st.integers(0, 6000),
)
def test_it_fits_unless_nothing_of_the_value_does(
    value: bytes, key: bytes | None, own: list[tuple[str, bytes]], most: int
) -> None:
    record = bad_row(value, key=key, headers=[*USUAL, *own])
    found, kept, _, headers = compose(record, ORIGIN, most=most)
    assert weight(found, headers) + len(kept) <= most or not kept
    assert value.startswith(bytes(kept))
    assert found in (key, None)
    assert ("original_sha256" in dict(headers)) is (len(kept) < len(value)) or not value
    assert all(header in headers for header in USUAL)
