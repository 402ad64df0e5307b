"""
What is done about records that cannot be published (``errors`` of the configuration).

Nothing here waits, and nothing is done for good rows: they are counted by the numbers of the bad ones.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from connector.errors import DataError
from connector.publish import DeadLetterObserver, Submission
from connector.records.bad import BadRecord, Stage
from connector.subscription import MemoryShare
from connector.task.observers import RecordObserver
from connector.task.status import StatusTracker
from connector.task.tolerance import DeadLetterRefused, Tolerance, TooManyBad, failure_event
from connector.task.window import Window

log = structlog.get_logger(__name__)

QUIET_FOR = 30.0
"""Seconds in which further bad records are only counted for the next line of the log."""


class DeadLetterQueue(Protocol):
    """`connector.publish.DeadLetters`, or what stands for it."""

    def add(self, record: BadRecord, submission: Submission, observer: DeadLetterObserver) -> int:
        """
        Queue ``record``; ``submission`` is told of one row once it is kept, ``observer`` what became of it.

        Return the bytes that this takes in memory besides.
        """


class ErrorReporter:
    """
    One subscription's. ``dead_letters`` of ``None``: bad records are skipped where they are tolerated.

    ``fail`` is called with what the subscription has to stop for.
    """

    def __init__(
        self,
        *,
        name: str,
        tolerance: Tolerance,
        dead_letters: DeadLetterQueue | None,
        memory: MemoryShare,
        status: StatusTracker,
        observer: RecordObserver,
        fail: Callable[[DataError], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._tolerance = tolerance
        self._dead_letters = dead_letters
        self._memory = memory
        self._status = status
        self._observer = observer
        self._fail = fail
        self._clock = clock
        self._window = Window(tolerance.failures, tolerance.rows)
        self._has_failed = False
        self._said_at = -math.inf
        self._unsaid = 0
        self._last: BadRecord | None = None

    def bad(self, record: BadRecord, submission: Submission) -> bool:
        """Decide on ``record``; return whether ``submission`` will be told of it, by its dead letter."""
        if record.stage is not Stage.POLL:  # what is no row is no bad row
            self._observer.record_failed(record.reason)
            self._count(record, submission)
        if not self._tolerance.bad:
            return False
        self._note(record)
        if self._dead_letters is None:
            self._observer.record_skipped(record.reason)
            return False
        size = self._dead_letters.add(record, submission, self)
        if submission.pending:
            submission.grow(size)
            self._memory.take(size)
        return True

    def _count(self, record: BadRecord, submission: Submission) -> None:
        if self._has_failed:
            return
        self._status.row_failed(str(record.error))
        if not self._tolerance.bad:
            self._stop_for(record.error)
        elif self._window.bad(submission.number(record.value)):
            self._stop_for(TooManyBad(self._window.failures, self._window.rows, record.error))

    def _stop_for(self, error: DataError) -> None:
        if self._has_failed:
            return
        self._has_failed = True
        event, remedy = failure_event(error)
        log.error(event, subscription=self._name, error=str(error), remedy=remedy)
        self._fail(error)

    def settled(self, submission: Submission) -> None:
        """This one is through, and all before it."""
        self._window.through(submission.first + submission.rows)
        if self._unsaid:
            self._say()

    # Dead letters (DeadLetterObserver)

    def dead_lettered(self, record: BadRecord) -> None:
        """See `DeadLetterObserver`."""
        self._observer.dead_lettered(record.reason)

    def undeliverable(self, record: BadRecord, error: DataError) -> None:
        """See `DeadLetterObserver`."""
        log.error(
            "dead letter is lost: its topic refuses it for its content",
            subscription=self._name,
            error=str(error),
            bytes=len(record.value),
            sha256=hashlib.sha256(record.value).hexdigest(),
        )
        self._stop_for(DeadLetterRefused(error))

    # The log

    def _note(self, record: BadRecord) -> None:
        self._unsaid += 1
        self._last = record
        self._say()

    def _say(self, *, at_once: bool = False) -> None:
        now = self._clock()
        if not self._last or not self._unsaid or not (at_once or now - self._said_at >= QUIET_FOR):
            return
        log.warning(
            "records skipped" if self._dead_letters is None else "records go to the dead-letter topic",
            subscription=self._name,
            records=self._unsaid,
            reason=self._last.reason,
            last_error=str(self._last.error),
        )
        self._said_at, self._unsaid, self._last = now, 0, None

    def close(self) -> None:
        """Say what was only counted."""
        self._say(at_once=True)
