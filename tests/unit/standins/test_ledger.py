"""The ledger: what must arrive, what is kept apart, and what an audit finds."""

from pathlib import Path

import pytest

from tests.standins.ledger import ConnectionRecord, Ending, Ledger
from tests.standins.rows import RowStyle, make_row

SECOND = 1_790_000_000


def connection(number: int, ending: Ending, ended_at: float | None = None) -> ConnectionRecord:
    return ConnectionRecord(number=number, opened_at=0.0, ending=ending, ended_at=ended_at)


def ledger(*writes: tuple[int, Ending]) -> Ledger:
    """Ten rows for each (connection, ending), all of them written to that connection at second 0, 1, …"""
    made = Ledger("rows")
    for at, (number, ending) in enumerate(writes):
        made.connections[number] = connection(number, ending, ended_at=10.0)
        frame = made.add_frame(range(at * 10, at * 10 + 10), SECOND, RowStyle(), float(at))
        made.add_write(frame, number)
    return made


def row(number: int) -> bytes:
    return make_row("rows", number, SECOND)


@pytest.mark.parametrize("ending", ["open", "client close", "server close", "fin", "stall"])
def test_rows_of_an_orderly_end_must_arrive(ending: Ending) -> None:
    assert ledger((0, ending)).must_arrive() == set(range(10))


def test_rows_of_a_reset_and_of_an_aborting_client_are_kept_apart() -> None:
    made = ledger((0, "rst"), (1, "client abort"), (2, "fin"))
    assert made.must_arrive() == set(range(20, 30))
    assert made.rst == set(range(10))
    assert made.aborted == set(range(10, 20))


def test_it_tells_what_was_written_to_some_sockets() -> None:
    made = ledger((0, "rst"), (1, "client abort"), (2, "fin"))
    made.add_write(0, 2)
    assert made.written_to({2, 7}) == {*range(10), *range(20, 30)}
    assert made.written_to(()) == frozenset()


def test_it_tells_how_often_rows_were_emitted_again() -> None:
    made = ledger((0, "fin"))
    made.add_again([3], SECOND, RowStyle(), 1.0)
    made.add_again([3, 4], SECOND, RowStyle(), 2.0)
    assert made.repeats() == {3: 2, 4: 1}


def test_a_row_on_two_sockets_must_arrive_if_one_ended_in_order() -> None:
    made = ledger((0, "rst"), (1, "fin"))
    made.add_write(0, 1)
    assert made.must_arrive() == set(range(20))
    assert made.rst == frozenset()


def test_with_a_grace_only_the_last_seconds_before_a_reset_are_excused() -> None:
    made = Ledger("rows")
    made.connections[0] = connection(0, "rst", ended_at=10.0)
    for at, first in ((5.0, 0), (9.5, 10)):
        made.add_write(made.add_frame(range(first, first + 10), SECOND, RowStyle(), at), 0)
    assert made.must_arrive(rst_grace=1.0) == set(range(10))


def test_an_audit_counts_missing_doubled_altered_and_strange_rows() -> None:
    made = ledger((0, "fin"))
    unwritten = made.add_frame(range(10, 20), SECOND, RowStyle(), 1.0)
    assert unwritten == 1
    values = [row(n) for n in range(9)] + [row(3), row(5).replace(b"pancake", b"pancako"), row(12), b"null"]
    audit = made.audit(values)
    assert audit.missing == {9}
    assert audit.doubled == {3, 5}
    assert audit.altered == {5}
    assert audit.unwritten == {12}
    assert audit.strangers == 1
    assert audit.consumed == 13
    assert not audit.is_exact


def test_an_audit_of_every_row_once_is_exact() -> None:
    assert ledger((0, "fin")).audit([row(n) for n in reversed(range(10))]).is_exact


def test_repeats_and_revisions_are_known_forms_of_their_row() -> None:
    made = ledger((0, "fin"), (1, "fin"))
    made.add_again([3], SECOND, RowStyle(revision=1), 2.0)
    assert made.exact(3) == (row(3), make_row("rows", 3, SECOND, RowStyle(revision=1)))
    assert made.exact(4) == (row(4),)
    assert made.exact(15) == (row(15),)
    assert (made.emitted, made.repeated) == (20, 1)


def test_a_row_with_a_size_of_its_own_is_known_by_it() -> None:
    made = ledger((0, "fin"))
    made.set_style(0, 4, RowStyle(row_bytes=5000))
    assert len(made.exact(4)[0]) == 5000
    assert len(made.exact(5)[0]) == 1000


def test_the_key_and_the_timestamp_of_a_row() -> None:
    made = ledger((0, "fin"))
    assert made.key(7).endswith("0000000000000007")
    assert made.time(7) == "2026-09-21T14:13:20Z"
    assert made.timestamp_ms(7) == SECOND * 1000


def test_a_saved_ledger_reads_back_the_same(tmp_path: Path) -> None:
    made = ledger((0, "fin"), (1, "rst"))
    made.add_write(made.add_again([3], SECOND, RowStyle(revision=1), 2.0), 0)
    made.set_style(0, 4, RowStyle(row_bytes=5000))
    made.while_away, made.withheld = 5, 6
    made.save(tmp_path / "rows.json")
    read = Ledger.load(tmp_path / "rows.json")
    assert read.summary() == made.summary()
    assert [read.exact(n) for n in range(20)] == [made.exact(n) for n in range(20)]
    assert read.connections == made.connections


def test_a_hundred_thousand_rows_cost_little() -> None:
    made = Ledger("rows")
    made.connections[0] = connection(0, "fin")
    for number in range(100_000):
        made.add_write(made.add_frame(range(number, number + 1), SECOND, RowStyle(), 0.0), 0)
    assert len(made.must_arrive()) == 100_000
    assert made.exact(99_999) == (row(99_999),)
