"""What is done about each bad record, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from connector.errors import DataError
from connector.kafka import ContentRefused
from connector.publish import DeadLetters, Ledger, LetterObserver, Receipt
from connector.records.bad import BadRecord, ForeignFrame, Stage
from connector.subscription import MemoryBudget
from connector.task.status import Face
from connector.task.verdicts import QUIET_FOR, DeadLetterRefused, Tolerance, TooManyBad, Verdicts
from tests.unit.publish.rows import bad_row
from tests.unit.task.fakes import Told

TOLERANT = Tolerance(bad=True, failures=5, rows=10)


class Postbox:
    """Stands in for `DeadLetters`; the tests say what becomes of each letter."""

    def __init__(self) -> None:
        self.letters: list[tuple[BadRecord, Receipt, LetterObserver]] = []

    def add(self, record: BadRecord, receipt: Receipt, observer: LetterObserver) -> int:
        self.letters.append((record, receipt, observer))
        return 1000

    def deliver(self) -> None:
        for record, receipt, observer in self.letters:
            observer.dead_lettered(record)
            receipt.acknowledged(1)
        self.letters.clear()


class Court:
    """Verdicts, with all that they work on."""

    def __init__(
        self, tolerance: Tolerance = TOLERANT, *, keeps: bool = True, postbox: Postbox | None = None
    ) -> None:
        self.now = 0.0
        self.told = Told()
        self.face = Face(self.told)
        self.budget = MemoryBudget(10**9)
        self.memory = self.budget.open(lambda: None)
        self.postbox = postbox or Postbox()
        self.failures: list[DataError] = []
        self.verdicts = Verdicts(
            name="s",
            tolerance=tolerance,
            dead_letters=cast(DeadLetters, self.postbox) if keeps else None,
            memory=self.memory,
            face=self.face,
            observer=self.told,
            fail=self.failures.append,
            clock=lambda: self.now,
        )
        self.ledger = Ledger(self.settled, self.verdicts.bad)

    def settled(self, receipts: Sequence[Receipt]) -> None:
        self.memory.release(sum(receipt.size for receipt in receipts))
        self.verdicts.settled(receipts[-1])

    def frame(self, rows: int, bad: set[int], error: DataError | None = None, **known: Any) -> Receipt:
        """Receive a frame, and learn at once which of its rows are bad; good ones are through."""
        values = [object() for _ in range(rows)]
        self.memory.take(rows)
        receipt = self.ledger.open(rows=rows, size=rows, received_at=0.0, values=values)
        for number in sorted(bad):
            receipt.given_up(bad_row(cast(Any, values[number]), error, **known))
        if rows > len(bad):
            receipt.acknowledged(rows - len(bad))
        return receipt


def test_without_tolerance_the_first_bad_row_fails_and_all_are_counted() -> None:
    court = Court(Tolerance())
    with capture_logs() as lines:
        court.frame(10, {3, 4}, ContentRefused("too_large", "it is too large"))
    assert [str(error) for error in court.failures] == ["it is too large"]
    assert court.face.last_error == "it is too large"
    assert court.told.failed == ["too_large", "too_large"]
    assert (court.told.skipped, court.told.letters, court.postbox.letters) == ([], [], [])
    assert [line["event"] for line in lines] == ["subscription failed: a record cannot be published"]
    assert (court.memory.held, len(court.ledger)) == (0, 0)


def test_without_a_dead_letter_topic_bad_rows_are_skipped_counted_and_told() -> None:
    court = Court(keeps=False)
    with capture_logs() as lines:
        receipt = court.frame(10, {3, 4})
    assert receipt.pending == 0
    assert court.told.failed == court.told.skipped == ["invalid", "invalid"]
    assert court.face.last_error == "bad"
    assert court.failures == []
    (line,) = lines
    assert (line["event"], line["log_level"], line["subscription"]) == ("records skipped", "warning", "s")
    assert line["last_error"] == "bad"


def test_a_bad_row_is_through_once_its_letter_is() -> None:
    court = Court()
    receipt = court.frame(10, {3})
    assert (receipt.pending, len(court.ledger)) == (1, 1)
    assert court.told.letters == []
    assert court.memory.held == court.ledger.held == 10 + 1000  # the letter takes memory, too
    court.postbox.deliver()
    assert (receipt.pending, len(court.ledger)) == (0, 0)
    assert court.told.letters == court.told.failed == ["invalid"]
    assert court.memory.held == court.ledger.held == 0


def test_lines_of_the_log_are_few_and_leave_out_no_record() -> None:
    court = Court(Tolerance(bad=True, failures=1000, rows=1000))
    with capture_logs() as lines:
        for _ in range(20):
            court.frame(10, {1, 2})
            court.postbox.deliver()
        assert [line["records"] for line in lines] == [1]
        court.now += QUIET_FOR
        court.frame(10, set())
        assert [line["records"] for line in lines] == [1, 39]
        court.frame(10, {1})
        court.postbox.deliver()
        court.verdicts.close()
        court.verdicts.close()
        assert [line["records"] for line in lines] == [1, 39, 1]
    assert {line["event"] for line in lines} == {"records go to the dead-letter topic"}


@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize("per_frame", [1, 2, 60])
def test_all_bad_is_not_some_bad(per_frame: int, keeps: bool) -> None:
    court = Court(Tolerance(bad=True, failures=50, rows=100), keeps=keeps)
    with capture_logs() as lines:
        for number in range(60 // per_frame):
            court.frame(per_frame, set(range(per_frame)))
            assert bool(court.failures) is ((number + 1) * per_frame >= 50)
    (error,) = court.failures
    assert isinstance(error, TooManyBad)
    assert "50 of the last 100 rows" in str(error)
    assert "errors.window" in str(error)
    (line,) = [line for line in lines if line["log_level"] == "error"]
    assert line["event"] == "subscription failed: too many records cannot be published"
    assert line["remedy"]
    assert len(court.told.failed) == 60
    assert len(court.postbox.letters) == (60 if keeps else 0)  # those that came before are kept, too


def test_bad_rows_spread_over_a_large_frame_are_some() -> None:
    court = Court(Tolerance(bad=True, failures=50, rows=100))
    court.frame(800, set(range(0, 800, 3)))
    assert court.failures == []
    court.frame(800, set(range(750, 800)))
    assert len(court.failures) == 1


def test_good_rows_in_between_count_although_nothing_is_done_for_them() -> None:
    court = Court(Tolerance(bad=True, failures=2, rows=10))
    for _ in range(20):
        court.frame(1, {0})
        court.postbox.deliver()
        court.frame(9, set())
    assert court.failures == []
    court.frame(2, {1})
    court.frame(8, {7})
    assert len(court.failures) == 1


def test_what_is_no_row_is_no_bad_row() -> None:
    court = Court(Tolerance(bad=True, failures=1, rows=1))
    court.frame(1, {0}, ForeignFrame("no message"), stage=Stage.POLL)
    assert (court.failures, court.told.failed) == ([], [])
    court.postbox.deliver()
    assert court.told.letters == ["protocol"]


def test_a_letter_that_is_refused_fails_with_that_reason_and_is_told() -> None:
    court = Court()
    values = [b"abc"]
    receipt = court.ledger.open(rows=1, size=0, received_at=0.0, values=values)
    receipt.given_up(bad_row(values[0]))
    (record, _, observer) = court.postbox.letters[0]
    with capture_logs() as lines:
        observer.undeliverable(record, ContentRefused("invalid", "it wants keys"))
        receipt.acknowledged(1)
    (error,) = court.failures
    assert isinstance(error, DeadLetterRefused)
    assert "it wants keys" in str(error)
    assert court.told.letters == []
    lost, failed = lines
    assert lost["event"] == "dead letter is lost: its topic refuses it for its content"
    assert lost["bytes"] == 3
    assert lost["sha256"].startswith("ba7816bf")
    assert failed["event"] == "subscription failed: a dead letter cannot be published"
    assert (court.memory.held, len(court.ledger)) == (0, 0)


def test_the_reason_of_the_end_stays() -> None:
    court = Court(Tolerance(bad=True, failures=2, rows=2))
    court.frame(2, {0, 1})
    court.face.last_error = str(court.failures[0])  # as the follower does
    court.frame(1, {0}, DataError("another"))
    assert "another" not in str(court.face.last_error)
    assert len(court.failures) == 1


def test_a_letter_that_is_lost_at_once_leaves_nothing_held() -> None:
    class Shredder(Postbox):
        def add(self, record: BadRecord, receipt: Receipt, observer: LetterObserver) -> int:
            receipt.acknowledged(1)
            return 1000

    court = Court(postbox=Shredder())
    court.frame(1, {0})
    assert (court.memory.held, court.ledger.held, court.budget.used) == (0, 0, 0)
