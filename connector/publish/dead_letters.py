"""
Bad records → the dead-letter topic.

A dead letter stands in for its row: the row's receipt is told only when the brokers have the letter, so
whatever holds a row holds its letter too. Trouble of Kafka is waited for, as with any topic. Only what the
brokers refuse for its content, alone and cut as far as can be, is given up, and told.
"""

from __future__ import annotations

import time
from typing import Protocol

from connector.errors import DataError
from connector.kafka import ContentRefused
from connector.publish.known_limits import DEFAULT_MAX_MESSAGE_BYTES
from connector.publish.letter import Sender, compose
from connector.publish.publisher import Publisher
from connector.publish.receipt import Ledger, Receipt
from connector.publish.size import weight
from connector.records.bad import BadRecord


class LetterObserver(Protocol):
    """Who is told what became of a dead letter."""

    def dead_lettered(self, record: BadRecord) -> None:
        """The brokers have it."""

    def undeliverable(self, record: BadRecord, error: DataError) -> None:
        """The dead-letter topic refuses it in every form, for ``error``."""


class DeadLetters:
    """
    One task's way to the dead-letter topic ``name``, which must be ready before anything is added.

    A letter is cut to what the topic is known to take. Where that is not known, since the topic may not be
    described or batches are compressed, it is sent as it is, and cut once it was refused.
    """

    def __init__(self, publisher: Publisher, name: str, sender: Sender) -> None:
        self._publisher = publisher
        self._name = name
        self._sender = sender
        self._learned: int | None = None

    def add(self, record: BadRecord, receipt: Receipt, observer: LetterObserver) -> int:
        """
        Queue ``record``; ``receipt`` is told of one row once the brokers have it.

        Return the bytes that this takes in memory besides.
        """
        return self.send(DeadLetter(self, record, receipt, observer))

    def send(self, letter: DeadLetter) -> int:
        """Queue ``letter`` in the form that the topic should take; return the bytes that this takes."""
        topic = self._publisher.topic(self._name)
        bounds = [limit for limit in (topic.limits.certain, self._learned) if limit is not None]
        row = compose(letter.record, self._sender, most=min(bounds, default=None))
        key, value, _, headers = row
        letter.size = weight(key, headers) + len(value)
        letter.is_empty = not value
        self._publisher.add({self._name: [row]}, letter, time.time_ns() // 1_000_000)
        is_copy = value is not letter.record.value
        return weight(None, headers) + (len(value) if is_copy else 0)

    def shorten(self, letter: DeadLetter) -> bool:
        """Queue ``letter`` again, which was too large, with less in it; return whether there is less."""
        if letter.is_empty:
            return False
        limit = self._publisher.topic(self._name).limits.told.max_batch_bytes or DEFAULT_MAX_MESSAGE_BYTES
        bound = limit if limit < letter.size else letter.size // 2
        self._learned = bound if self._learned is None else min(bound, self._learned)
        self.send(letter)
        return True


class DeadLetter:
    """A slip (`connector.publish.receipt.Slip`) in the place of the row's receipt."""

    __slots__ = ("_letters", "_observer", "_receipt", "is_empty", "record", "size")

    def __init__(
        self, letters: DeadLetters, record: BadRecord, receipt: Receipt, observer: LetterObserver
    ) -> None:
        self._letters = letters
        self._receipt = receipt
        self._observer = observer
        self.record = record
        self.size = 0
        self.is_empty = False

    @property
    def submission(self) -> Receipt:
        """What the row was received with."""
        return self._receipt

    def landed(self, rows: int) -> Ledger | None:
        """The brokers have it: the row is through."""
        self._observer.dead_lettered(self.record)
        return self._receipt.landed(rows)

    def given_up(self, record: BadRecord) -> None:
        """The dead-letter topic refuses it alone: cut it further, or tell that it is undeliverable."""
        error = record.error
        if isinstance(error, ContentRefused) and error.reason == "too_large" and self._letters.shorten(self):
            return
        self._observer.undeliverable(self.record, error)
        self._receipt.acknowledged(1)
