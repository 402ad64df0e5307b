"""What is done about each bad record, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from connector.errors import DataError
from connector.kafka import ContentRefused
from connector.publish import DeadLetterObserver, Submission, SubmittedRecords
from connector.records.bad import BadRecord, ForeignFrame, Stage
from connector.subscription import MemoryBudget
from connector.task.error_reporter import QUIET_FOR, ErrorReporter
from connector.task.status import StatusTracker
from connector.task.tolerance import DeadLetterRefused, Tolerance, TooManyBad
from tests.unit.publish.rows import bad_row
from tests.unit.task.fakes import Told

TOLERANT = Tolerance(bad=True, failures=5, rows=10)


class FakeDeadLetters:
    """Satisfies `DeadLetterQueue`; the tests say what becomes of each letter."""

    def __init__(self) -> None:
        self.letters: list[tuple[BadRecord, Submission, DeadLetterObserver]] = []

    def add(self, record: BadRecord, submission: Submission, observer: DeadLetterObserver) -> int:
        self.letters.append((record, submission, observer))
        return 1000

    def deliver(self) -> None:
        for record, submission, observer in self.letters:
            observer.dead_lettered(record)
            submission.acknowledged(1)
        self.letters.clear()


class Desk:
    """An error reporter, with all that they work on."""

    def __init__(
        self, tolerance: Tolerance = TOLERANT, *, keeps: bool = True, queue: FakeDeadLetters | None = None
    ) -> None:
        self.now = 0.0
        self.told = Told()
        self.status = StatusTracker(self.told)
        self.budget = MemoryBudget(10**9)
        self.memory = self.budget.open(lambda: None)
        self.queue = queue or FakeDeadLetters()
        self.failures: list[DataError] = []
        self.reporter = ErrorReporter(
            name="s",
            tolerance=tolerance,
            dead_letters=self.queue if keeps else None,
            memory=self.memory,
            status=self.status,
            observer=self.told,
            fail=self.failures.append,
            clock=lambda: self.now,
        )
        self.submitted = SubmittedRecords(self.settled, self.reporter.bad)

    def settled(self, submissions: Sequence[Submission]) -> None:
        self.memory.release(sum(submission.size for submission in submissions))
        self.reporter.settled(submissions[-1])

    def frame(self, rows: int, bad: set[int], error: DataError | None = None, **known: Any) -> Submission:
        """Receive a frame, and learn at once which of its rows are bad; good ones are through."""
        values = [object() for _ in range(rows)]
        self.memory.take(rows)
        submission = self.submitted.open(rows=rows, size=rows, received_at=0.0, values=values)
        for number in sorted(bad):
            submission.given_up(bad_row(cast(Any, values[number]), error, **known))
        if rows > len(bad):
            submission.acknowledged(rows - len(bad))
        return submission


def test_without_tolerance_the_first_bad_row_fails_and_all_are_counted() -> None:
    desk = Desk(Tolerance())
    with capture_logs() as lines:
        desk.frame(10, {3, 4}, ContentRefused("too_large", "it is too large"))
    assert [str(error) for error in desk.failures] == ["it is too large"]
    assert desk.status.last_error == "it is too large"
    assert desk.told.failed == ["too_large", "too_large"]
    assert (desk.told.skipped, desk.told.letters, desk.queue.letters) == ([], [], [])
    assert [line["event"] for line in lines] == ["subscription failed: a record cannot be published"]
    assert (desk.memory.held, len(desk.submitted)) == (0, 0)


def test_without_a_dead_letter_topic_bad_rows_are_skipped_counted_and_told() -> None:
    desk = Desk(keeps=False)
    with capture_logs() as lines:
        submission = desk.frame(10, {3, 4})
    assert submission.pending == 0
    assert desk.told.failed == desk.told.skipped == ["invalid", "invalid"]
    assert desk.status.last_error == "bad"
    assert desk.failures == []
    (line,) = lines
    assert (line["event"], line["log_level"], line["subscription"]) == ("records skipped", "warning", "s")
    assert line["last_error"] == "bad"


def test_a_bad_row_is_through_once_its_letter_is() -> None:
    desk = Desk()
    submission = desk.frame(10, {3})
    assert (submission.pending, len(desk.submitted)) == (1, 1)
    assert desk.told.letters == []
    assert desk.memory.held == desk.submitted.held == 10 + 1000  # the letter takes memory, too
    desk.queue.deliver()
    assert (submission.pending, len(desk.submitted)) == (0, 0)
    assert desk.told.letters == desk.told.failed == ["invalid"]
    assert desk.memory.held == desk.submitted.held == 0


def test_lines_of_the_log_are_few_and_leave_out_no_record() -> None:
    desk = Desk(Tolerance(bad=True, failures=1000, rows=1000))
    with capture_logs() as lines:
        for _ in range(20):
            desk.frame(10, {1, 2})
            desk.queue.deliver()
        assert [line["records"] for line in lines] == [1]
        desk.now += QUIET_FOR
        desk.frame(10, set())
        assert [line["records"] for line in lines] == [1, 39]
        desk.frame(10, {1})
        desk.queue.deliver()
        desk.reporter.close()
        desk.reporter.close()
        assert [line["records"] for line in lines] == [1, 39, 1]
    assert {line["event"] for line in lines} == {"records go to the dead-letter topic"}


@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize("per_frame", [1, 2, 60])
def test_all_bad_is_not_some_bad(per_frame: int, keeps: bool) -> None:
    desk = Desk(Tolerance(bad=True, failures=50, rows=100), keeps=keeps)
    with capture_logs() as lines:
        for number in range(60 // per_frame):
            desk.frame(per_frame, set(range(per_frame)))
            assert bool(desk.failures) is ((number + 1) * per_frame >= 50)
    (error,) = desk.failures
    assert isinstance(error, TooManyBad)
    assert "50 of the last 100 rows" in str(error)
    assert "errors.window" in str(error)
    (line,) = [line for line in lines if line["log_level"] == "error"]
    assert line["event"] == "subscription failed: too many records cannot be published"
    assert line["remedy"]
    assert len(desk.told.failed) == 60
    assert len(desk.queue.letters) == (60 if keeps else 0)  # those that came before are kept, too


def test_bad_rows_spread_over_a_large_frame_are_some() -> None:
    desk = Desk(Tolerance(bad=True, failures=50, rows=100))
    desk.frame(800, set(range(0, 800, 3)))
    assert desk.failures == []
    desk.frame(800, set(range(750, 800)))
    assert len(desk.failures) == 1


def test_good_rows_in_between_count_although_nothing_is_done_for_them() -> None:
    desk = Desk(Tolerance(bad=True, failures=2, rows=10))
    for _ in range(20):
        desk.frame(1, {0})
        desk.queue.deliver()
        desk.frame(9, set())
    assert desk.failures == []
    desk.frame(2, {1})
    desk.frame(8, {7})
    assert len(desk.failures) == 1


def test_what_is_no_row_is_no_bad_row() -> None:
    desk = Desk(Tolerance(bad=True, failures=1, rows=1))
    desk.frame(1, {0}, ForeignFrame("no message"), stage=Stage.POLL)
    assert (desk.failures, desk.told.failed) == ([], [])
    desk.queue.deliver()
    assert desk.told.letters == ["protocol"]


def test_a_letter_that_is_refused_fails_with_that_reason_and_is_told() -> None:
    desk = Desk()
    values = [b"abc"]
    submission = desk.submitted.open(rows=1, size=0, received_at=0.0, values=values)
    submission.given_up(bad_row(values[0]))
    (record, _, observer) = desk.queue.letters[0]
    with capture_logs() as lines:
        observer.undeliverable(record, ContentRefused("invalid", "it wants keys"))
        submission.acknowledged(1)
    (error,) = desk.failures
    assert isinstance(error, DeadLetterRefused)
    assert "it wants keys" in str(error)
    assert desk.told.letters == []
    lost, failed = lines
    assert lost["event"] == "dead letter is lost: its topic refuses it for its content"
    assert lost["bytes"] == 3
    assert lost["sha256"].startswith("ba7816bf")
    assert failed["event"] == "subscription failed: a dead letter cannot be published"
    assert (desk.memory.held, len(desk.submitted)) == (0, 0)


def test_the_reason_of_the_end_stays() -> None:
    desk = Desk(Tolerance(bad=True, failures=2, rows=2))
    desk.frame(2, {0, 1})
    desk.status.last_error = str(desk.failures[0])  # as the runner does
    desk.frame(1, {0}, DataError("another"))
    assert "another" not in str(desk.status.last_error)
    assert len(desk.failures) == 1


def test_a_letter_that_is_lost_at_once_leaves_nothing_held() -> None:
    class Shredder(FakeDeadLetters):
        def add(self, record: BadRecord, submission: Submission, observer: DeadLetterObserver) -> int:
            submission.acknowledged(1)
            return 1000

    desk = Desk(queue=Shredder())
    desk.frame(1, {0})
    assert (desk.memory.held, desk.submitted.held, desk.budget.used) == (0, 0, 0)
