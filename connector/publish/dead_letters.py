"""
Bad records → the dead-letter topic.

A dead letter stands in for its row: the row's submission is told only when the brokers have the dead
letter, so whatever holds a row holds its dead letter too. Trouble of Kafka is waited for, as with any topic.
Only what the brokers refuse for its content, alone and cut as far as can be, is given up, and told.
"""

from __future__ import annotations

import time
from typing import Protocol

from connector.errors import DataError
from connector.kafka import ContentRefused
from connector.publish.dead_letter_record import DeadLetterOrigin, compose
from connector.publish.known_limits import DEFAULT_MAX_MESSAGE_BYTES
from connector.publish.publisher import Publisher
from connector.publish.size import weight
from connector.publish.submitted_records import Submission, SubmittedRecords
from connector.records.bad import BadRecord


class DeadLetterObserver(Protocol):
    """Who is told what became of a dead letter."""

    def dead_lettered(self, record: BadRecord) -> None:
        """The brokers have it."""

    def undeliverable(self, record: BadRecord, error: DataError) -> None:
        """The dead-letter topic refuses it in every form, for ``error``."""


class DeadLetters:
    """
    One task's way to the dead-letter topic ``name``, which must be ready before anything is added.

    A dead letter is cut to what the topic is known to take. Where that is not known, since the topic may not
    be described or batches are compressed, it is sent as it is, and cut once it was refused.
    """

    def __init__(self, publisher: Publisher, name: str, origin: DeadLetterOrigin) -> None:
        self._publisher = publisher
        self._name = name
        self._origin = origin
        self._learned: int | None = None

    def add(self, record: BadRecord, submission: Submission, observer: DeadLetterObserver) -> int:
        """
        Queue ``record``; ``submission`` is told of one row once the brokers have it.

        Return the bytes that this takes in memory besides.
        """
        return self.send(DeadLetter(self, record, submission, observer))

    def send(self, dead_letter: DeadLetter) -> int:
        """Queue ``dead_letter`` in the form that the topic should take; return the bytes that this takes."""
        topic = self._publisher.topic(self._name)
        bounds = [limit for limit in (topic.limits.certain, self._learned) if limit is not None]
        row = compose(dead_letter.record, self._origin, most=min(bounds, default=None))
        key, value, _, headers = row
        dead_letter.size = weight(key, headers) + len(value)
        dead_letter.is_empty = not value
        self._publisher.add({self._name: [row]}, dead_letter, time.time_ns() // 1_000_000)
        is_copy = value is not dead_letter.record.value
        return weight(None, headers) + (len(value) if is_copy else 0)

    def shorten(self, dead_letter: DeadLetter) -> bool:
        """Queue ``dead_letter`` again, which was too large, with less in it; return whether there is less."""
        if dead_letter.is_empty:
            return False
        limit = self._publisher.topic(self._name).limits.told.max_batch_bytes or DEFAULT_MAX_MESSAGE_BYTES
        bound = limit if limit < dead_letter.size else dead_letter.size // 2
        self._learned = bound if self._learned is None else min(bound, self._learned)
        self.send(dead_letter)
        return True


class DeadLetter:
    """A `DeliveryCallback` in the place of the row's submission."""

    __slots__ = ("_dead_letters", "_observer", "_submission", "is_empty", "record", "size")

    def __init__(
        self,
        dead_letters: DeadLetters,
        record: BadRecord,
        submission: Submission,
        observer: DeadLetterObserver,
    ) -> None:
        self._dead_letters = dead_letters
        self._submission = submission
        self._observer = observer
        self.record = record
        self.size = 0
        self.is_empty = False

    @property
    def submission(self) -> Submission:
        """What the row was received with."""
        return self._submission

    def count_acknowledged(self, rows: int) -> SubmittedRecords | None:
        """The brokers have it: the row is through."""
        self._observer.dead_lettered(self.record)
        return self._submission.count_acknowledged(rows)

    def given_up(self, record: BadRecord) -> None:
        """The dead-letter topic refuses it alone: cut it further, or tell that it is undeliverable."""
        error = record.error
        if (
            isinstance(error, ContentRefused)
            and error.reason == "too_large"
            and self._dead_letters.shorten(self)
        ):
            return
        self._observer.undeliverable(self.record, error)
        self._submission.acknowledged(1)
