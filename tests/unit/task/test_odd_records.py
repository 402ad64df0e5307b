"""Records that lack something and are published all the same."""

from __future__ import annotations

import structlog

from connector.records.built import BuiltRecords
from connector.task.odd_records import OddRecords
from tests.unit.task.fakes import Told


def test_what_is_missing_is_counted_each_time() -> None:
    observer = Told()
    odd = OddRecords("orders", observer)
    odd.note(BuiltRecords(keys_missing=1, times_missing=2), 3)
    odd.note(BuiltRecords(identities_missing=4), 0)
    assert observer.odd == [(1, 0, 5), (0, 4, 0)]


def test_rows_without_an_identity_are_told_of_once() -> None:
    odd = OddRecords("orders", Told())
    with structlog.testing.capture_logs() as said:
        odd.note(BuiltRecords(keys_missing=1), 0)
        assert said == []
        for _ in range(3):
            odd.note(BuiltRecords(identities_missing=2), 0)
    (line,) = said
    assert (line["log_level"], line["subscription"]) == ("warning", "orders")
    assert "its repeats are published" in line["event"]


def test_a_frame_is_odd_where_anything_is_missing() -> None:
    assert not BuiltRecords().is_odd
    for missing in ("keys_missing", "identities_missing", "times_missing"):
        assert BuiltRecords(**{missing: 1}).is_odd  # type: ignore[arg-type]
